import {
  createWindowEngine,
  type KeyedBatch,
  type WindowEngineOptions,
  type WindowOutput,
} from "@millrace/windowing";

import { tallyRow, type Tally } from "./bare-loops.ts";
import type { TimedEvent } from "./events.ts";

/** System time, ms: all events arrived after they happened. */
export const NOW = 1_800_000_000_000;

/** The engine over the same batches, to the end of input. */
export function runEngine<A, R>(
  batches: readonly KeyedBatch<TimedEvent>[],
  options: WindowEngineOptions<TimedEvent, A, R>,
  valueOf: (result: R) => number,
): Tally {
  const engine = createWindowEngine(options);
  const tally = { rows: 0, check: 0 };
  const take = ({ results, late, refused }: WindowOutput<TimedEvent, R>): void => {
    for (const { key, window, value } of results) tallyRow(tally, key, window.open, valueOf(value));
    if (late.length + refused.length > 0) throw new Error("An event in order was late or refused.");
  };
  for (const batch of batches) {
    const output = engine.process(batch, NOW);
    if (output.results.length > 0 || output.late.length > 0) take(output);
  }
  take(engine.finish("end"));
  return tally;
}
