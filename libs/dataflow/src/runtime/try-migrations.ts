import type { StateGroup } from "@millrace/windowing";
import type { Store, TaskHead, TaskId } from "../contracts/store.ts";
import type { Dataflow } from "../dataflow.ts";
import { migrationOf } from "./compare-state.ts";
import type { StateComparison, StepComparison } from "./compare-state.ts";
import { groupsByStep } from "./state-transfer.ts";

/** How often state is read that changes while it is read. */
const READS = 3;

/** A step whose stored state cannot be migrated. */
export interface FailedMigration {
  readonly step: string;
  readonly error: unknown;
}

type Migrated = Extract<StepComparison, { change: "migrated" }>;

/**
 * Tries the migrations of a comparison on stored state, which stays as it is, and leaves the task with its owner. Only the
 * groups of migrated steps are read, and what is made of them is not kept.
 *
 * @param comparison of `kept` with the flow
 * @returns those that fail, in the order of the comparison; none, too, if another signature was stored since
 */
export async function tryMigrations(
  flow: Dataflow,
  comparison: StateComparison,
  kept: Pick<TaskHead, "signature">,
  store: Store,
  task: TaskId,
): Promise<readonly FailedMigration[]> {
  const migrated = comparison.filter((each) => each.change === "migrated");
  if (migrated.length === 0) return [];
  const from = new Set(migrated.map((each) => each.from));
  for (let reads = 1; ; reads += 1) {
    const head = await store.look(task, (group) => from.has(group.slice(0, group.indexOf("/"))));
    // What the next owner applies of a commit before it loads cannot be seen here.
    if (head?.signature !== kept.signature || head.unfinished === true) return [];
    const failed = failuresOf(flow, migrated, groupsByStep(head.groups));
    if (failed.length === 0 || reads === READS) return failed;
    // Groups of several commits may contradict each other.
    const after = await store.look(task);
    if (after?.commitNumber === head.commitNumber) return failed;
  }
}

function failuresOf(
  flow: Dataflow,
  migrated: readonly Migrated[],
  byStep: ReadonlyMap<string, readonly StateGroup[]>,
): readonly FailedMigration[] {
  return migrated.flatMap(({ step, from, kept }) => {
    try {
      migrationOf(flow, step, kept)?.(byStep.get(from) ?? []);
      return [];
    } catch (error) {
      return [{ step, error }];
    }
  });
}
