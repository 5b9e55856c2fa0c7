import type { Json } from "@millrace/windowing";
import type { PartContext, Source, SourcePartition } from "../contracts/source.ts";
import type { Sink, SinkPartition } from "../contracts/sink.ts";
import type { Store } from "../contracts/store.ts";
import type { Dataflow } from "../dataflow.ts";
import { FlowError } from "../errors.ts";
import { PAYLOAD_LENGTH, excerpt } from "../excerpt.ts";
import { abortable } from "./abortable.ts";
import { Committer, groupsByStep } from "./committer.ts";
import { DeadLetters } from "./dead-letters.ts";
import type { TaskOptions } from "./options.ts";
import type { Resources } from "./resources.ts";
import { signatureOf } from "./signature.ts";
import { TaskGraph } from "./task-graph.ts";

/** What a task is made of, before anything is open. */
export interface TaskPlan {
  readonly flow: Dataflow;
  readonly part: string;
  readonly options: TaskOptions;
  readonly store: Store | undefined;
  /** Gets everything that was opened, also when opening fails half way. */
  readonly resources: Resources;
  /** Aborted when the task must end at once. */
  readonly abort: AbortSignal;
  /** Aborted when what is being opened is not wanted any more. */
  readonly opening: AbortSignal;
  /** Called for each payload that the source itself refuses. */
  readonly onReject: () => void;
}

/** What exists only while a task is open. */
export interface LiveTask {
  readonly graph: TaskGraph;
  readonly partition: SourcePartition<unknown>;
  readonly deadLetters: DeadLetters;
  /** Opened sinks by step id, the dead letter's among them. */
  readonly sinks: ReadonlyMap<string, SinkPartition<unknown>>;
  readonly committer: Committer | undefined;
  /** The task goes on from a commit of an earlier run. */
  readonly resumed: boolean;
  /** Position behind the last batch that was processed. */
  position: Json;
}

/** Stands for the dead letter among the sinks; no step can have this id. */
const DEAD_LETTER = "(dead-letter)";

/** Opens store, sinks and source, in this order, and restores the steps' state. */
export async function openTask(plan: TaskPlan): Promise<LiveTask> {
  const { flow, part, options, store, resources } = plan;
  const { logger, time } = options;
  const opened = async <T extends { close(): Promise<void> }>(opening: Promise<T>): Promise<T> => {
    // What is open only after the task was given up has nobody else to close it.
    opening.then((late) => (plan.abort.aborted ? late.close() : undefined)).catch(() => undefined);
    const resource = await abortable(opening, plan.abort);
    resources.add(resource);
    return resource;
  };

  refuseForeignSinks(flow, store);
  const task = { flow: flow.id, part };
  const owned = store === undefined ? undefined : await opened(store.acquire(task));
  const committer = owned && new Committer(owned, signatureOf(flow), `${task.flow}/${task.part}`);
  const state = committer && (await abortable(committer.load(), plan.abort));

  const deadLetters = new DeadLetters(logger);
  const contextOf = (step: string): PartContext => ({
    step,
    logger,
    time,
    signal: plan.opening,
    reject: (payload, reason) => {
      plan.onReject();
      deadLetters.put({ step, part, reason, payload: excerpt(payload, PAYLOAD_LENGTH) });
    },
  });
  const sinks = new Map<string, SinkPartition<unknown>>();
  for (const [id, sink] of sinksOf(flow)) {
    const sinkPart = await opened(sink.buildPart(part, state?.sinks[id], contextOf(id)));
    refuseStorelessOutputs(flow, id, sink, sinkPart);
    sinks.set(id, sinkPart);
  }
  deadLetters.writeTo(sinks.get(DEAD_LETTER));

  const input = inputOf(flow);
  const partition = await opened(input.source.buildPart(part, state?.position, contextOf(input.id)));
  const graph = new TaskGraph(
    flow.graph,
    (step) => ({
      step,
      part,
      logger,
      time,
      signal: plan.abort,
      completeness: (open, close) => partition.completeness?.(open, close) ?? "unknown",
      settledUpTo: () => partition.settledUpTo?.() ?? Number.NEGATIVE_INFINITY,
      deadLetter: deadLetters.put,
    }),
    sinks,
  );
  if (state !== undefined) {
    const groups = groupsByStep(state);
    for (const { node } of graph.stateful) graph.restore(node.id, groups.get(node.id) ?? [], time.now());
  }
  const resumed = state !== undefined;
  return { graph, partition, deadLetters, sinks, committer, resumed, position: partition.snapshot() };
}

function* sinksOf(flow: Dataflow): Generator<readonly [id: string, sink: Sink<unknown>]> {
  const { deadLetter } = flow.options;
  if (deadLetter !== undefined) yield [DEAD_LETTER, deadLetter];
  for (const { id, role } of flow.graph.nodes) {
    if (role.kind === "output") yield [id, role.sink];
  }
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

/** Rows that are handed over to a commit need a store that is named: another one would swallow them. @throws FlowError */
function refuseStorelessOutputs(
  flow: Dataflow,
  id: string,
  { store }: Sink<unknown>,
  opened: SinkPartition<unknown>,
): void {
  if (opened.takeOutputs === undefined || store !== undefined) return;
  throw new FlowError(
    `flow "${flow.id}", output "${id}": its sink hands its rows over to commits (takeOutputs) and names no store that takes them; give the sink a store`,
  );
}

function inputOf(flow: Dataflow): { readonly id: string; readonly source: Source<unknown> } {
  const { input } = flow.graph;
  if (input === undefined) throw new Error("a flow without input passed validation");
  return input;
}
