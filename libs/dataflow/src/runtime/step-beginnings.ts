import type { Json, StateGroup } from "@millrace/windowing";
import type { Dataflow } from "../dataflow.ts";
import { SourceError, asSourceError } from "../errors.ts";
import { beginningOf } from "../operators/step-beginning.ts";
import { inputOf } from "./check-start.ts";
import type { StateComparison } from "./compare-state.ts";
import { named } from "./name-errors.ts";

/** Where a task continues. */
export interface Continuation {
  /** Name of its partition, for messages. */
  readonly part: string;
  /** The head of its position. */
  readonly position: Json;
  /** When it begins to read after the position, ms. */
  readonly now: number;
}

/**
 * The beginnings of the window steps that begin empty where others continue, each after its step's id: they lack what the task
 * has read before.
 *
 * An event happens before it is published, so those that happen after the time of the position are still to be read.
 * Results of windows that continue may be out up to the present time.
 *
 * @throws SourceError if the source cannot say the time of the position
 */
export function beginningsOf(
  flow: Dataflow,
  comparison: StateComparison,
  { part, position, now }: Continuation,
): readonly StateGroup[] {
  const begun = new Set(comparison.flatMap((each) => (each.change === "begun" ? [each.step] : [])));
  const nodes = flow.graph.nodes.filter(({ id, windows }) => windows !== undefined && begun.has(id));
  if (nodes.length === 0) return [];
  // What was read in this millisecond has been read before.
  const reading = now + 1;
  const events = wholeAfter(flow, part, position) ?? reading;
  return nodes.flatMap(({ id, windows, windowsBefore = [] }): StateGroup[] => {
    const ofInput = windows?.eventTime === true && windowsBefore.every((before) => begun.has(before));
    const from = ofInput ? events : reading;
    if (from === Number.NEGATIVE_INFINITY) return [];
    const [group, fields] = beginningOf(from);
    return [[`${id}/${group}`, fields]];
  });
}

/** @returns `undefined`: the source does not know. @throws SourceError */
function wholeAfter(flow: Dataflow, part: string, position: Json): number | undefined {
  const { id, source } = inputOf(flow);
  if (source.wholeAfter === undefined) return undefined;
  const after = named(
    () => source.wholeAfter?.(position),
    (error) => asSourceError(error, id, part),
  );
  if (Number.isFinite(after) || after === Number.NEGATIVE_INFINITY) return after;
  throw new SourceError(
    `step "${id}", partition "${part}": wholeAfter returned ${String(after)} for the stored position, but must return a time in ms or ` +
      "-Infinity. Nothing was changed.",
  );
}
