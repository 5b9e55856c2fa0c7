import type { Json } from "@millrace/windowing";
import type { PartContext, SourcePartition } from "../contracts/source.ts";
import type { Sink, SinkPartition } from "../contracts/sink.ts";
import type { Store } from "../contracts/store.ts";
import type { Dataflow } from "../dataflow.ts";
import { FlowError, StateTooLargeError, asSinkError, asSourceError } from "../errors.ts";
import { wholeText } from "../excerpt.ts";
import { abortable } from "./abortable.ts";
import { DEAD_LETTER, inputOf, sinksOf } from "./check-start.ts";
import { Committer, groupsByStep } from "./committer.ts";
import { DeadLetters } from "./dead-letters.ts";
import type { TaskOptions } from "./options.ts";
import { PositionKeeper } from "./position-keeper.ts";
import type { Resources } from "./resources.ts";
import { signatureOf } from "./signature.ts";
import type { StartLine } from "./start-line.ts";
import { TaskGraph } from "./task-graph.ts";

/** What a task is made of, before anything is open. */
export interface TaskPlan {
  readonly flow: Dataflow;
  readonly part: string;
  readonly options: TaskOptions;
  readonly store: Store | undefined;
  /** Where the tasks of a run that begins wait for each other; `undefined` for a task that is opened again. */
  readonly startLine: StartLine | undefined;
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
  /** What a run had counted up to that commit; `undefined`: there is none. */
  readonly keptCounts: Json | undefined;
  /** Position after the last batch that was processed. */
  position: Json;
}

/**
 * Opens source, store and sinks, in this order, and restores the steps' state. Without a store nobody is replaced, and
 * the source comes last, so that nothing arrives that cannot be processed yet.
 *
 * The source is opened first since it may refuse, and taking the task over stops its former owner. Nothing is read from
 * it until the task is open: had that owner committed in between, it is opened again at the new position.
 */
export async function openTask(plan: TaskPlan): Promise<LiveTask> {
  const { flow, part, options, store, resources, startLine } = plan;
  const { logger, time } = options;
  const opened = async <T extends { close(): Promise<void> }>(opening: Promise<T>): Promise<T> => {
    // What is open only after the task was given up would otherwise never be closed.
    opening.then((late) => (plan.abort.aborted ? late.close() : undefined)).catch(() => undefined);
    const resource = await abortable(opening, plan.abort);
    resources.add(resource);
    return resource;
  };

  const deadLetters = new DeadLetters(logger, time);
  resources.add(deadLetters);
  const contextOf = (step: string): PartContext => ({
    step,
    logger,
    time,
    signal: plan.opening,
    reject: (payload, reason) => {
      plan.onReject();
      deadLetters.put({ step, part, reason, payload: wholeText(payload) });
    },
  });
  const input = inputOf(flow);
  const openSource = async (resume: Json | undefined): Promise<OpenSource> => {
    // What a source refuses counts only once it is the one that is read.
    const early: (() => void)[] = [];
    let chosen = false;
    const context = contextOf(input.id);
    const reject: PartContext["reject"] = (payload, reason) => {
      if (chosen) context.reject(payload, reason);
      else
        early.push(() => {
          context.reject(payload, reason);
        });
    };
    const partition = await opened(
      named(input.source.buildPart(part, resume, { ...context, reject }), (error) =>
        asSourceError(error, input.id, part),
      ),
    );
    const choose = (): void => {
      chosen = true;
      for (const put of early.splice(0)) put();
    };
    return { partition, choose };
  };

  const task = { flow: flow.id, part };
  let ready: (OpenSource & { readonly commitNumber: number }) | undefined;
  try {
    if (store !== undefined) {
      const head = await abortable(store.look(task), plan.abort);
      ready = { ...(await openSource(head?.position)), commitNumber: head?.commitNumber ?? 0 };
    }
  } catch (error) {
    startLine?.fail(error);
    throw error;
  }
  await abortable(startLine?.arrive() ?? Promise.resolve(), plan.abort);

  const owned = store === undefined ? undefined : await opened(store.acquire(task));
  const positions = new PositionKeeper(input.id, input.source.positions);
  const committer = owned && new Committer(owned, signatureOf(flow), `${task.flow}/${task.part}`, positions);
  const state = committer && (await abortable(committer.load(), plan.abort));
  const groups = state && groupsByStep(state);
  const resume = state && positions.restore(state.position, groups?.get(input.id) ?? []);

  const sinks = new Map<string, SinkPartition<unknown>>();
  for (const [id, sink] of sinksOf(flow)) {
    const kept = state !== undefined && Object.hasOwn(state.sinks, id) ? state.sinks[id] : undefined;
    const sinkPart = await opened(
      named(sink.buildPart(part, kept, contextOf(id)), (error) => asSinkError(error, id, part)),
    );
    refuseStorelessOutputs(flow, id, sink, sinkPart);
    sinks.set(id, sinkPart);
  }
  deadLetters.writeTo(sinks.get(DEAD_LETTER));

  // Of a divided position only the head was known before.
  const known = ready?.commitNumber === (state?.commitNumber ?? 0) && resume === state?.position;
  if (ready !== undefined && !known) {
    await abortable(resources.release(ready.partition), plan.abort);
    ready = undefined;
  }
  const { partition, choose } = ready ?? (await openSource(resume));
  // Wherever it was opened, it is closed first: until then what was committed may have to be acknowledged.
  resources.add(partition);
  choose();
  if (partition.drained === undefined) warnOfNoProof(flow, part, options);
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
      maxKeys: options.maxKeysPerStep,
      deadLetter: deadLetters.put,
    }),
    sinks,
  );
  const stopWatching = time.onStep(({ skippedMs }) => {
    if (skippedMs > 0) graph.skipped(skippedMs);
  });
  resources.add({
    close() {
      stopWatching();
      return Promise.resolve();
    },
  });
  if (groups !== undefined) {
    graph.restore(groups, time.now());
    refuseTooLarge(plan, graph);
  }
  return {
    graph,
    partition,
    deadLetters,
    sinks,
    committer,
    resumed: state !== undefined,
    keptCounts: state?.counts,
    position: partition.snapshot(),
  };
}

/** A source that is open, and what makes it the one that is read. */
interface OpenSource {
  readonly partition: SourcePartition<unknown>;
  readonly choose: () => void;
}

/** @throws what `opening` throws, as an error that names its step */
async function named<T>(opening: Promise<T>, nameOf: (error: unknown) => Error): Promise<T> {
  try {
    return await opening;
  } catch (error) {
    throw nameOf(error);
  }
}

/** Cells of the overflow key, one for each window, come on top of `maxKeys`. */
const RESTORE_SLACK = 1.1;

/** State that was kept by a run with more room is taken up as long as the whole run has room for it. */
function refuseTooLarge({ flow, part, options }: TaskPlan, graph: TaskGraph): void {
  let keys = 0;
  for (const { cells = 0, keys: held = 0 } of graph.gauges().values()) keys += cells + held;
  if (keys <= options.maxKeys * RESTORE_SLACK) return;
  throw new StateTooLargeError(
    `flow "${flow.id}", partition "${part}": its state has ${keys} keys, and this run has room for ${options.maxKeys}. Give ` +
      "the process the heap that it had (--max-old-space-size), raise maxKeys, or reset the state.",
  );
}

/** A source that cannot prove that it is drained leaves undone what depends on that; without a line in the log it would not be seen why. */
function warnOfNoProof(flow: Dataflow, part: string, { logger, exitWhenIdleMs }: TaskOptions): void {
  const { id } = inputOf(flow);
  const waiting = flow.graph.nodes.filter(({ needsDrained }) => needsDrained === true).map((node) => node.id);
  const effects = [
    ...(waiting.length === 0
      ? []
      : [`windows of ${waiting.join(", ")} close only when a later event comes or the input ends`]),
    ...(exitWhenIdleMs === Infinity ? [] : ["the run does not end when it is idle"]),
  ];
  if (effects.length === 0) return;
  logger.warn(
    { event: "never-drained", step: id, part, windows: waiting },
    `the source of "${id}", partition "${part}", cannot prove that nothing is left to read: ${effects.join(", and ")}`,
  );
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
