import type { StateGroup } from "@millrace/windowing";
import { StateError } from "../errors.ts";
import { excerpt } from "../excerpt.ts";
import type { StateMigration } from "../graph.ts";
import type { StepContext } from "./step-context.ts";

/** The group of a window step that began empty in a task with commits: from when on it reads all. Engines do not know it. */
export const BEGINNING = "beginning";
const FIELD = "from";

/** @param from time (ms) from which on the step reads all events */
export function beginningOf(from: number): StateGroup {
  return [BEGINNING, [[FIELD, from]]];
}

/** Whether a group, without its step's id, is one of {@link beginningOf}. */
export function isBeginning([group]: StateGroup): boolean {
  return group === BEGINNING;
}

/** The time of {@link beginningOf}; −Infinity: the step has read all that its task has. @throws StateError */
export function beginningIn(
  groups: readonly StateGroup[],
  { step, part }: Pick<StepContext, "step" | "part">,
): number {
  for (const [, fields] of groups.filter(isBeginning)) {
    for (const [field, from] of fields) {
      if (field === FIELD && typeof from === "number") return from;
      throw new StateError(
        `step "${step}", partition "${part}": the stored beginning is damaged: ${field} is ${excerpt(from)}; reset the task`,
      );
    }
  }
  return Number.NEGATIVE_INFINITY;
}

/** Groups without that of the beginning. */
export function withoutBeginning(groups: readonly StateGroup[]): readonly StateGroup[] {
  return groups.filter((group) => !isBeginning(group));
}

/** A migration of everything but the beginning, which stays. */
export function keepingBeginning(migrate: StateMigration): StateMigration {
  return (groups) => [...groups.filter(isBeginning), ...migrate(withoutBeginning(groups))];
}
