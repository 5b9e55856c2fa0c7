import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import type { TimeProvider } from "@millrace/dataflow";

const TICK_MS = 10;

/** How a file of lines is divided into portions. */
export interface PortionOptions {
  /** Lines in a portion; the last one may have fewer. */
  readonly lines: number;
  readonly linesPerSecond: number;
  readonly time: TimeProvider;
  /** Resolves when the next portion may begin. */
  readonly next: () => Promise<void>;
  /** Called after the last line of a portion. */
  readonly onPortion: (linesSoFar: number) => void;
}

/** A source of the lines of a file at a steady rate, one portion for each request. */
export async function* portionsOf(path: string, options: PortionOptions): AsyncGenerator<readonly string[]> {
  const { time, next, onPortion } = options;
  const perTick = Math.max(1, Math.round((options.linesPerSecond * TICK_MS) / 1_000));
  let total = 0;
  let left = 0;
  let together: string[] = [];
  for await (const line of createInterface({ input: createReadStream(path) })) {
    if (left === 0) {
      await next();
      left = options.lines;
    }
    together.push(line);
    total += 1;
    left -= 1;
    if (left > 0 && together.length < perTick) continue;
    yield together;
    together = [];
    if (left === 0) onPortion(total);
    else await new Promise<void>((resolve) => time.wakeAfter(TICK_MS, resolve));
  }
  if (together.length === 0) return;
  yield together;
  onPortion(total);
}
