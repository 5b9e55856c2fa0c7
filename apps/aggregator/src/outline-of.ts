import { CallbackSink, IterableSource } from "@millrace/dataflow";
import type { Dataflow } from "@millrace/dataflow";
import { SystemClock } from "@millrace/windowing";
import type { FlowSettings } from "./flow-options.ts";
import { loadFlow } from "./load-flow.ts";
import { reporter } from "./result-row.ts";

/**
 * The chosen flow between nothing and nowhere: to look at, not to run.
 *
 * @throws FlowModuleError, FlowError
 */
export function outlineOf({ choice, windower, clock, windowing, meta }: FlowSettings): Promise<Dataflow> {
  const nowhere = new CallbackSink<unknown>(() => undefined);
  return loadFlow(choice, {
    source: new IterableSource([]),
    windower,
    clock: clock ?? new SystemClock(),
    windowing,
    report: reporter(meta),
    results: nowhere,
    out: nowhere,
  });
}
