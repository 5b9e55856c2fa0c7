import type { Logger } from "../contracts/logger.ts";
import type { Source, StartContext } from "../contracts/source.ts";
import type { Sink } from "../contracts/sink.ts";
import type { Store } from "../contracts/store.ts";
import type { Dataflow } from "../dataflow.ts";
import { FlowError, asSinkError, asSourceError } from "../errors.ts";
import { named, namedAsync } from "./name-errors.ts";
import type { NameOf } from "./name-errors.ts";
import { requireContinuable } from "./compare-state.ts";
import type { StateComparison, StepComparison } from "./compare-state.ts";

/** The id of the dead letter among the sinks; no step can have it. */
export const DEAD_LETTER = "(dead-letter)";

/** Every sink of a flow by its step's id, the dead letter first. */
export function* sinksOf(flow: Dataflow): Generator<readonly [id: string, sink: Sink<unknown>]> {
  const { deadLetter } = flow.options;
  if (deadLetter !== undefined) yield [DEAD_LETTER, deadLetter];
  for (const { id, role } of flow.graph.nodes) {
    if (role.kind === "output") yield [id, role.sink];
  }
}

/** The input of a validated flow. */
export function inputOf(flow: Dataflow): { readonly id: string; readonly source: Source<unknown> } {
  const { input } = flow.graph;
  if (input === undefined) throw new Error("a flow without input passed validation");
  return input;
}

/**
 * Refuses a run that cannot resume from the state of its tasks. It changes nothing: a worker that cannot start must
 * not stop the one that owns these tasks.
 *
 * @throws FlowError for a sink of another store, StateMismatchError for state that the flow cannot continue from,
 *   StateFormatError for state of a newer Millrace, StateError
 *   for a position or a sink's state that cannot be resumed from; SinkError for a sink that cannot be opened, as far as
 *   this is visible without opening it; errors of the source when it checks its input
 */
export async function checkStart(
  flow: Dataflow,
  parts: readonly string[],
  store: Store | undefined,
  dropState: readonly string[],
  given: Omit<StartContext, "flow" | "step">,
): Promise<void> {
  const context = { ...given, flow: flow.id };
  refuseForeignSinks(flow, store);
  if (store === undefined) return;
  const { id, source } = inputOf(flow);
  const ofSource: NameOf = (error) => asSourceError(error, id);
  await namedAsync(async () => source.checkStart?.(parts, { ...context, step: id }), ofSource);
  const sinks = [...sinksOf(flow)];
  const comparisons: StateComparison[] = [];
  await Promise.all(
    parts.map(async (part) => {
      const head = await store.look({ flow: flow.id, part });
      if (head !== undefined) {
        comparisons.push(requireContinuable(`${flow.id}/${part}`, head, flow, dropState));
        named(() => source.checkPosition?.(part, head.position), ofSource);
      }
      await Promise.all(
        sinks.map(async ([step, sink]) => {
          await namedAsync(
            async () => sink.checkResume?.(part, head?.sinks[step], { ...context, step }),
            (error) => asSinkError(error, step, part),
          );
        }),
      );
    }),
  );
  logChanges(comparisons.flat(), given.logger);
}

/** Logs once for all tasks what does not continue as it was stored. */
function logChanges(comparison: StateComparison, logger: Logger): void {
  const logged = new Set<string>();
  for (const each of comparison) {
    const note = noteOf(each);
    if (note === undefined || logged.has(note.message)) continue;
    logged.add(note.message);
    logger.info({ event: note.event, step: each.step }, note.message);
  }
}

function noteOf(each: StepComparison): { readonly event: string; readonly message: string } | undefined {
  switch (each.change) {
    case "begun":
      return {
        event: "state-begins",
        message: `step "${each.step}" is new to the stored state: it begins empty`,
      };
    case "dropped":
      return {
        event: "state-dropped",
        message: `the state of step "${each.step}" (${each.kept}) is deleted with the first commit, as --drop-state says`,
      };
    case "migrated":
      return {
        event: "state-migrated",
        message: `step "${each.step}" migrates its state: kept ${each.kept}, now ${each.now}`,
      };
    case "kept":
      return each.from === each.step
        ? undefined
        : {
            event: "state-renamed",
            message: `step "${each.step}" continues with the state of "${each.from}", its former id`,
          };
    case "refused":
      return undefined;
  }
}

/** Rows that become visible with a commit need the store that they belong to. @throws FlowError */
function refuseForeignSinks(flow: Dataflow, store: Store | undefined): void {
  for (const [id, sink] of sinksOf(flow)) {
    if (sink.store === undefined || sink.store === store || sink.store === store?.wraps) continue;
    throw new FlowError(
      `flow "${flow.id}", output "${id}": its rows become visible with the commits of its own store, and the flow runs ${store === undefined ? "without a store" : "with another store"}; run it with the store of the sink`,
    );
  }
}
