import type { Json } from "@millrace/windowing";
import type { SourcePartition, SourceStats } from "../contracts/source.ts";
import type { SinkPartition } from "../contracts/sink.ts";
import type { Dataflow } from "../dataflow.ts";
import { asSourceError, messageOf } from "../errors.ts";
import { abortable } from "./waiting.ts";
import { DEAD_LETTER, inputOf } from "./check-start.ts";
import { requireContinuable } from "./compare-state.ts";
import { Committer } from "./committer.ts";
import { DeadLetters } from "./dead-letters.ts";
import { Ends } from "./ends.ts";
import type { TaskPlan } from "./ends.ts";
import { LastFigures } from "./operator-node.ts";
import { named } from "./name-errors.ts";
import type { NameOf } from "./name-errors.ts";
import type { TaskOptions } from "./options.ts";
import { PositionKeeper } from "./position-keeper.ts";
import { refuseTooLarge } from "./room-for-keys.ts";
import { beginningsOf } from "./step-beginnings.ts";
import { groupsByStep } from "./state-transfer.ts";
import { TaskGraph } from "./task-graph.ts";
import { tryMigrations } from "./try-migrations.ts";

/** The parts of an open task. */
export interface LiveTask {
  readonly graph: TaskGraph;
  readonly partition: SourcePartition<unknown>;
  /** The source's counts; `undefined`: it has none. */
  readonly sourceStats: LastFigures<SourceStats | undefined>;
  /** `TaskGraph.watermark`, to be shown. */
  readonly watermark: LastFigures<number | undefined>;
  readonly deadLetters: DeadLetters;
  /** Opened sinks by step id, with the dead letter. */
  readonly sinks: ReadonlyMap<string, SinkPartition<unknown>>;
  readonly committer: Committer | undefined;
  /** The task resumes from a commit of an earlier run. */
  readonly resumed: boolean;
  /** The run's counts at that commit; `undefined`: there are none. */
  readonly keptCounts: Json | undefined;
  /** Position after the last processed batch. */
  position: Json;
}

/**
 * Opens a task and restores the steps' state. With a store, source and sinks are opened first, since they may refuse and
 * acquiring the task stops its former owner. Nothing is read or written until the task is open. If that owner has
 * committed in between, source and sinks are reopened. Sinks whose opening changes something are opened after the store.
 *
 * An aborted opening stops where it waits. Only an `acquire` that was sent is awaited, so that it can be closed.
 *
 * Without a store no other worker is replaced. The source is then opened last, so that no event arrives too early.
 */
export async function openTask(plan: TaskPlan): Promise<LiveTask> {
  const { flow, part, options, store, resources, startLine } = plan;
  const { logger, time } = options;
  const deadLetters = new DeadLetters(options);
  const ends = new Ends(plan, deadLetters);
  const task = { flow: flow.id, part };
  const input = inputOf(flow);
  const ofSource: NameOf = (error) => asSourceError(error, input.id, part);
  const positions = new PositionKeeper(input.id, input.source.positions, ofSource);
  try {
    if (store !== undefined) {
      const head = await abortable(
        store.look(task, (group) => group === positions.group),
        plan.opening,
      );
      if (head !== undefined) {
        // Before the task is acquired, so that a worker of another version, which shares it, leaves it as it is.
        const comparison = requireContinuable(`${flow.id}/${part}`, head, flow, options.dropState);
        refuseTooLarge(task, head, options.maxKeys);
        const [failed] = await abortable(tryMigrations(flow, comparison, head, store, task), plan.opening);
        if (failed !== undefined) throw failed.error;
        // Its result counts only once the task is acquired: until then the owner reads on.
        beginningsOf(flow, comparison, { part, position: head.position, now: time.now() });
      }
      await ends.openSource(head && positions.restore(head.position, head.groups));
      await ends.openHarmlessSinks(head?.sinks);
    }
  } catch (error) {
    startLine?.fail(error);
    throw error;
  }
  await abortable(startLine?.arrive() ?? Promise.resolve(), plan.opening);

  const owned = store === undefined ? undefined : await ends.opened(store.acquire(task));
  const committer = owned && new Committer(owned, flow, part, options.dropState, positions);
  const state = committer && (await abortable(committer.load(time), plan.opening));
  // A task that was reset has a position, from which it begins anew.
  const committed = state !== undefined && state.commitNumber > 0 ? state : undefined;
  const groups = state?.groups;
  const sinks = await ends.sinks(state?.sinks);
  deadLetters.writeTo(sinks.get(DEAD_LETTER));
  const partition = await ends.source(state && positions.restore(state.position, groups ?? []));
  if (partition.drained === undefined) warnOfNoProof(flow, part, options);
  const graph = new TaskGraph(
    flow.graph,
    (step) => ({
      step,
      part,
      logger,
      time,
      signal: plan.abort,
      completeness: (open, close) =>
        named(() => partition.completeness?.(open, close), ofSource) ?? "unknown",
      settledUpTo: () => named(() => partition.settledUpTo?.(), ofSource) ?? Number.NEGATIVE_INFINITY,
      wholeFrom: () => named(() => partition.wholeFrom?.(), ofSource) ?? Number.NEGATIVE_INFINITY,
      maxKeys: options.maxKeysPerStep,
      maxStateBytes: options.maxStateBytesPerStep,
      deadLetter: deadLetters.put,
    }),
    sinks,
    options.observers,
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
  if (committed !== undefined && groups !== undefined) {
    graph.restore(groupsByStep(groups), time.now());
  }
  return {
    graph,
    partition,
    sourceStats: new LastFigures<SourceStats | undefined>(
      undefined,
      () => partition.stats?.(),
      (error) => {
        logger.warn({ event: "figures-unknown", step: input.id, part }, messageOf(ofSource(error)));
      },
    ),
    watermark: new LastFigures<number | undefined>(
      undefined,
      () => graph.watermark,
      (error) => {
        logger.warn({ event: "figures-unknown", part }, messageOf(error));
      },
    ),
    deadLetters,
    sinks,
    committer,
    resumed: committed !== undefined,
    keptCounts: committed?.counts,
    position: named(() => partition.snapshot(), ofSource),
  };
}

/** Warns that a source cannot prove that it is drained, with what depends on that proof. */
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
