import type { StateGroup } from "@millrace/windowing";
import type { Dataflow } from "../dataflow.ts";
import { beginningOf } from "../operators/step-beginning.ts";
import type { StateComparison } from "./compare-state.ts";

/** From when on (ms) what a task has not read yet is all there is. */
export interface Unread {
  /** By the times of events. */
  readonly events: number;
  /** By the time at which they are read. */
  readonly reading: number;
}

/**
 * The beginnings of the window steps that begin empty where others continue, each after its step's id: they lack what the task
 * has read before.
 *
 * An event happens before it is published, so those that happen after the time of the position are still to be read.
 * Results of windows that continue may be out up to the present time.
 */
export function beginningsOf(
  flow: Dataflow,
  comparison: StateComparison,
  unreadNow: () => Unread,
): readonly StateGroup[] {
  const begun = new Set(comparison.flatMap((each) => (each.change === "begun" ? [each.step] : [])));
  const nodes = flow.graph.nodes.filter(({ id, windows }) => windows !== undefined && begun.has(id));
  if (nodes.length === 0) return [];
  const unread = unreadNow();
  return nodes.flatMap(({ id, windows, windowsBefore = [] }): StateGroup[] => {
    const ofInput = windows?.eventTime === true && windowsBefore.every((before) => begun.has(before));
    const from = ofInput ? unread.events : unread.reading;
    if (from === Number.NEGATIVE_INFINITY) return [];
    const [group, fields] = beginningOf(from);
    return [[`${id}/${group}`, fields]];
  });
}
