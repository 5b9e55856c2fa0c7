import type { ProgramContext } from "@millrace/cli";
import { previewStart } from "@millrace/dataflow";
import type { Dataflow, StateComparison, StepComparison } from "@millrace/dataflow";
import { RedisStore } from "@millrace/redis-store";
import type { AdminConfig } from "../options/admin-options.ts";
import { printLine } from "../options/admin-options.ts";

/** Options of a run that decide whether a flow starts. */
export interface DifferenceOptions {
  readonly dropState: readonly string[];
  /** `undefined`: by the limit of this process's heap. */
  readonly maxKeys: number | undefined;
}

/** What a comparison is about. */
interface DifferenceConfig extends Pick<AdminConfig, "redis" | "storeTimeoutMs"> {
  readonly diff: DifferenceOptions;
}

/**
 * Prints for each task what a start of a flow would do with it, then a line for all of them. It changes nothing.
 *
 * @throws the error of a flow that would not start; errors of the store; the reason of the signal
 */
export async function printDifference(
  { redis, storeTimeoutMs, diff: { dropState, maxKeys } }: DifferenceConfig,
  flow: Dataflow,
  parts: readonly string[],
  { logger, signal }: Pick<ProgramContext<unknown>, "logger" | "signal">,
): Promise<void> {
  const errors: unknown[] = [];
  const store = new RedisStore(redis, { logger, storeTimeoutMs });
  const giveUp = (): void => void store.close();
  signal.addEventListener("abort", giveUp);
  try {
    for (const part of parts) {
      signal.throwIfAborted();
      const { commitNumber, format, comparison, error } = await previewStart(flow, part, {
        store,
        dropState,
        ...(maxKeys === undefined ? {} : { maxKeys }),
        logger,
        signal,
      });
      const starts = error === undefined;
      if (!starts) errors.push(error);
      const steps = commitNumber === 0 && starts ? {} : stepsOf(comparison);
      printLine({ flow: flow.id, part, starts, commitNumber, format, ...steps });
    }
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", giveUp);
    await store.close();
  }
  printLine({ flow: flow.id, tasks: parts.length, starts: errors.length === 0 });
  // It says why, and what can be done.
  if (errors.length > 0) throw errors[0];
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
