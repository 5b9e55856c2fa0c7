import type { StartContext } from "../contracts/source.ts";
import type { Store } from "../contracts/store.ts";
import type { Dataflow } from "../dataflow.ts";
import { asSourceError, messageOf } from "../errors.ts";
import { inputOf } from "./check-start.ts";
import { STATE_FORMAT, compareState, requireContinuable } from "./compare-state.ts";
import type { StateComparison, StepComparison } from "./compare-state.ts";
import { named, namedAsync } from "./name-errors.ts";
import type { NameOf } from "./name-errors.ts";
import { resolveRunOptions } from "./options.ts";
import type { RunOptions } from "./options.ts";
import { refuseTooLarge } from "./room-for-keys.ts";
import { beginningsOf } from "./step-beginnings.ts";
import { tryMigrations } from "./try-migrations.ts";

/** What a start of a flow would do with one task. */
export interface StartPreview {
  /** Number of the last commit; 0: there is none, and the task begins anew. */
  readonly commitNumber: number;
  /** Format of the last commit; `undefined`: there is none. */
  readonly format: number | undefined;
  /** What becomes of the steps' state, and all that refuses the start. */
  readonly comparison: StateComparison;
  /** The error of the first refusal; `undefined`: it would start. */
  readonly error: unknown;
}

/**
 * Looks at what a start of a flow would do with one task. It changes nothing: the task's owner continues. State is compared,
 * its migrations are tried, keys are counted, and the source is asked for its checks before a start and for the time from
 * which on added window steps read all. Source and sinks are not opened, and sinks are not asked.
 *
 * @param options of the run, of which `dropState`, `maxKeys`, `logger`, `time` and `signal` matter
 * @throws errors of the store; the reason of the signal
 */
export async function previewStart(
  flow: Dataflow,
  part: string,
  { store, ...options }: RunOptions & { readonly store: Store },
): Promise<StartPreview> {
  const { dropState, maxKeys, logger, time } = resolveRunOptions(options);
  const { signal = new AbortController().signal } = options;
  const task = { flow: flow.id, part };
  const { id, source } = inputOf(flow);
  const context: StartContext = { flow: flow.id, step: id, logger, time, signal };
  const ofSource: NameOf = (error) => asSourceError(error, id, part);
  const head = await store.look(task);
  const committed = head !== undefined && head.commitNumber > 0 ? head : undefined;

  const errors: unknown[] = [];
  let comparison: StateComparison = [];
  if (committed !== undefined) {
    if (committed.format <= STATE_FORMAT) comparison = compareState(committed.signature, flow, dropState);
    try {
      requireContinuable(`${flow.id}/${part}`, committed, flow, dropState);
    } catch (error) {
      errors.push(error);
    }
    const failures = await tryMigrations(flow, comparison, committed, store, task);
    errors.push(...failures.map(({ error }) => error));
    const refused = new Map(failures.map(({ step, error }) => [step, refusalOf(error, step)]));
    comparison = comparison.map((each) =>
      each.change === "migrated" ? (refused.get(each.step) ?? each) : each,
    );
  }
  const refusals: StepComparison[] = [];
  const check = async (allows: () => Promise<void> | void, step?: string): Promise<void> => {
    try {
      await allows();
    } catch (error) {
      signal.throwIfAborted();
      errors.push(error);
      refusals.push(refusalOf(error, step));
    }
  };
  await check(() => {
    if (committed !== undefined) refuseTooLarge(task, committed, maxKeys);
  });
  await check(() => {
    if (head === undefined) return;
    const { position } = head;
    named(() => source.checkPosition?.(part, position), ofSource);
    beginningsOf(flow, comparison, { part, position, now: time.now() });
  }, id);
  await check(() => namedAsync(async () => source.checkStart?.([part], context), ofSource), id);
  return {
    commitNumber: committed?.commitNumber ?? 0,
    format: committed?.format,
    comparison: [...comparison, ...refusals],
    error: errors[0],
  };
}

function refusalOf(error: unknown, step?: string): StepComparison {
  return {
    change: "refused",
    ...(step === undefined ? {} : { step }),
    why: messageOf(error),
    droppable: false,
  };
}
