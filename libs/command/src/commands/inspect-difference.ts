import { STATE_FORMAT, compareState, requireContinuable } from "@millrace/dataflow";
import type { Dataflow, StateComparison, StepComparison } from "@millrace/dataflow";
import { inspectTask } from "@millrace/redis-store";
import type { TaskAccessOptions } from "@millrace/redis-store";
import type { AdminConfig } from "../options/admin-options.ts";
import { printLine } from "../options/admin-options.ts";

/** What a comparison is about. */
interface DifferenceConfig extends Pick<AdminConfig, "redis"> {
  readonly diff: { readonly dropState: readonly string[] };
}

/**
 * Prints for each task what a flow would do with its stored state, then a line for all of them. It changes nothing.
 *
 * @throws StateMismatchError, StateFormatError if the flow would not start
 */
export async function printDifference(
  { redis, diff: { dropState } }: DifferenceConfig,
  flow: Dataflow,
  parts: readonly string[],
  access: TaskAccessOptions,
): Promise<void> {
  const refused: (() => void)[] = [];
  for (const part of parts) {
    const task = await inspectTask(redis, { flow: flow.id, part }, access);
    if (task === undefined || task.commitNumber === 0) {
      printLine({ flow: flow.id, part, starts: true, commitNumber: 0 });
      continue;
    }
    const { commitNumber, format, signature } = task;
    const comparison = format > STATE_FORMAT ? [] : compareState(signature, flow, dropState);
    const starts = format <= STATE_FORMAT && comparison.every(({ change }) => change !== "refused");
    if (!starts) refused.push(() => requireContinuable(`${flow.id}/${part}`, task, flow, dropState));
    printLine({ flow: flow.id, part, starts, commitNumber, format, ...stepsOf(comparison) });
  }
  printLine({ flow: flow.id, tasks: parts.length, starts: refused.length === 0 });
  // Its error says why, and what can be done.
  refused[0]?.();
}

/** The steps by what becomes of their state. */
function stepsOf(comparison: StateComparison): Readonly<Record<StepComparison["change"], readonly object[]>> {
  const of = (wanted: StepComparison["change"]): readonly object[] =>
    comparison.filter(({ change }) => change === wanted).map(({ change: _, ...rest }) => rest);
  return {
    kept: of("kept"),
    begun: of("begun"),
    migrated: of("migrated"),
    dropped: of("dropped"),
    refused: of("refused"),
  };
}
