import { CallbackSink, IterableSource } from "@millrace/dataflow";
import type { Dataflow } from "@millrace/dataflow";
import { systemTime } from "@millrace/windowing";
import type { FlowChoice } from "./flow-choice.ts";
import { DEFAULT_FLOW_SHAPE } from "./flow-options.ts";
import type { FlowShape } from "./flow-options.ts";
import { loadFlow } from "./load-flow.ts";

/**
 * The chosen flow between nothing and nowhere: to look at, not to run.
 *
 * @throws FlowModuleError, FlowError
 */
export function outlineOf(choice: FlowChoice, shape: FlowShape = DEFAULT_FLOW_SHAPE): Promise<Dataflow> {
  const { windower, clock, windowing, lateFile } = shape;
  const nowhere = new CallbackSink<unknown>(() => undefined);
  return loadFlow(choice, {
    source: new IterableSource([]),
    sourceWithOrigin: new IterableSource([]),
    windower,
    clock: clock ?? systemTime(),
    windowing,
    results: nowhere,
    out: nowhere,
    ...(lateFile === undefined ? {} : { late: nowhere }),
  });
}
