import type { Source, StartContext } from "../contracts/source.ts";
import type { Sink } from "../contracts/sink.ts";
import type { Store } from "../contracts/store.ts";
import type { Dataflow } from "../dataflow.ts";
import { FlowError, asSinkError, asSourceError } from "../errors.ts";
import { named, namedAsync } from "./named.ts";
import type { NameOf } from "./named.ts";
import { requireSameSignature, signatureOf } from "./signature.ts";

/** Stands for the dead letter among the sinks; no step can have this id. */
export const DEAD_LETTER = "(dead-letter)";

/** Every sink of a flow by its step's id, the dead letter's first. */
export function* sinksOf(flow: Dataflow): Generator<readonly [id: string, sink: Sink<unknown>]> {
  const { deadLetter } = flow.options;
  if (deadLetter !== undefined) yield [DEAD_LETTER, deadLetter];
  for (const { id, role } of flow.graph.nodes) {
    if (role.kind === "output") yield [id, role.sink];
  }
}

/** The one input of a flow that has passed validation. */
export function inputOf(flow: Dataflow): { readonly id: string; readonly source: Source<unknown> } {
  const { input } = flow.graph;
  if (input === undefined) throw new Error("a flow without input passed validation");
  return input;
}

/**
 * Refuses a run that could not go on from what its tasks left behind. It only looks: a worker that has these tasks now
 * must not be stopped by one that cannot start.
 *
 * @throws FlowError for a sink of another store, StateMismatchError for state of a flow of another shape, StateError
 *   for a position or a sink's state that cannot be gone on from; SinkError for a sink that cannot be opened, as far as
 *   that can be seen without opening it; what the source throws when it sees where its events come from
 */
export async function checkStart(
  flow: Dataflow,
  parts: readonly string[],
  store: Store | undefined,
  given: Omit<StartContext, "flow" | "step">,
): Promise<void> {
  const context = { ...given, flow: flow.id };
  refuseForeignSinks(flow, store);
  if (store === undefined) return;
  const { id, source } = inputOf(flow);
  const ofSource: NameOf = (error) => asSourceError(error, id);
  await namedAsync(async () => source.checkStart?.(parts, { ...context, step: id }), ofSource);
  const sinks = [...sinksOf(flow)];
  const signature = signatureOf(flow);
  await Promise.all(
    parts.map(async (part) => {
      const head = await store.look({ flow: flow.id, part });
      if (head !== undefined) {
        requireSameSignature(`${flow.id}/${part}`, head.signature, signature);
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
}

/** Rows that become visible with a commit need the store they belong to. @throws FlowError */
function refuseForeignSinks(flow: Dataflow, store: Store | undefined): void {
  for (const [id, sink] of sinksOf(flow)) {
    if (sink.store === undefined || sink.store === store || sink.store === store?.wraps) continue;
    throw new FlowError(
      `flow "${flow.id}", output "${id}": its rows become visible with the commits of the store they belong to, and the flow is run ${store === undefined ? "without a store" : "with another one"}; run it with that store`,
    );
  }
}
