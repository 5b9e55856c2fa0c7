import { setMaxListeners } from "node:events";
import type { Json } from "@millrace/windowing";
import type { Store } from "../contracts/store.ts";
import type { Dataflow } from "../dataflow.ts";
import { DrainTimeoutError, asSinkError, asSourceError, messageOf } from "../errors.ts";
import { abortable } from "./waiting.ts";
import { inputOf } from "./check-start.ts";
import { CommitSchedule } from "./commit-schedule.ts";
import { RolledBack } from "./committer.ts";
import { IdleWatch } from "./idle-watch.ts";
import { Intake, Signal } from "./intake.ts";
import type { ProbeAnswer } from "./intake.ts";
import { named, namedAsync } from "./name-errors.ts";
import type { NameOf } from "./name-errors.ts";
import { startTimer } from "./observers.ts";
import { openTask } from "./open-task.ts";
import type { LiveTask } from "./open-task.ts";
import type { TaskOptions } from "./options.ts";
import { Resources } from "./resources.ts";
import type { StartLine } from "./start-line.ts";
import type { Hold, OpenWindow, TaskPhase, TaskStats } from "./stats.ts";
import { TaskFigures } from "./task-figures.ts";
import { StoppedWhileStarting } from "./start-line.ts";
import type { TaskHistory } from "./task-history.ts";

/** Why a task's input ended: by itself, because the run is idle, or because the run is stopped. */
type Ending = "end" | "idle" | "stopped";

/** What a task has not finished yet. */
export interface Unfinished {
  /** Events read since the last commit. */
  readonly uncommitted: number;
  /** Rows that its sinks have not accepted yet. */
  readonly rows: number;
  /** Keys of open windows, counted once for each window. */
  readonly open: number;
}

/**
 * A live copy of a flow over one partition. Its life: open everything, restore, then batch by batch — process,
 * write, commit — with windows closed in between as they become due, and everything else at the end.
 */
export class Task {
  readonly part: string;
  readonly history: TaskHistory;
  readonly #flow: Dataflow;
  readonly #options: TaskOptions;
  readonly #store: Store | undefined;
  readonly #startLine: StartLine | undefined;
  readonly #onIdle: () => void;
  readonly #signal = new Signal();
  readonly #abort = new AbortController();
  readonly #opening = new AbortController();
  readonly #resources = new Resources();
  readonly #idle: IdleWatch;
  readonly #schedule: CommitSchedule;
  readonly #figures: TaskFigures;
  #phase: TaskPhase = "starting";
  #live: LiveTask | undefined;
  #stopping = false;
  #ending = false;
  /** An error between the turns: the source failed to stop, or work of a source or a sink in the background failed. */
  #broken: Error | undefined;
  /** When it requested the next batch, or last stopped waiting for one, monotonic, ms. */
  #roundBegan = 0;
  /** Time its batches took since it last yielded to the event loop, ms, without the time that it waited for them. */
  #turnMs = 0;
  #hold: Hold = "nothing";

  /**
   * @param startLine where the tasks of a starting run wait for each other
   * @param onIdle called when the task becomes idle or ends; it may call `endInput`
   */
  constructor(
    flow: Dataflow,
    part: string,
    options: TaskOptions,
    store: Store | undefined,
    history: TaskHistory,
    startLine: StartLine | undefined,
    onIdle: () => void,
  ) {
    // A sink of many partitions listens to these signals for each; that many listeners are no leak.
    setMaxListeners(0, this.#abort.signal, this.#opening.signal);
    this.#flow = flow;
    this.part = part;
    this.history = history;
    this.#options = options;
    this.#store = store;
    this.#startLine = startLine;
    this.#onIdle = onIdle;
    this.#idle = new IdleWatch(options.exitWhenIdleMs);
    this.#schedule = new CommitSchedule(options, store);
    this.#figures = new TaskFigures(flow.graph, options.time, history, store !== undefined);
  }

  /** No event came for the run's idle time, or none will come any more. */
  get idle(): boolean {
    return this.#phase === "ended" || (this.#phase !== "reloading" && this.#idle.idle);
  }

  /** It has had an event, in this run or in the one that it resumes. */
  get begun(): boolean {
    return this.#figures.hasInput || this.#live?.resumed === true || this.history.reloads > 0;
  }

  /** Everything that it needs was opened, and its state restored. */
  get opened(): boolean {
    return this.#live !== undefined;
  }

  /** Stops reading; what was read is finished and committed. */
  stop(): void {
    this.#stopping = true;
    if (this.#phase === "starting") this.#opening.abort(new StoppedWhileStarting());
    this.#stopSource();
    this.#signal.notify();
  }

  /** Treats the input as ended, since every partition is idle. */
  endInput(): void {
    if (this.#phase === "ended") return;
    this.#ending = true;
    this.#stopSource();
    this.#signal.notify();
  }

  /** Aborts: finishes nothing and commits nothing. */
  abort(reason: Error): void {
    this.#abort.abort(reason);
    this.#opening.abort(reason);
    this.#signal.notify();
  }

  /**
   * Runs to the end of the input or until stopped. Everything it opened is closed when it settles.
   *
   * @throws RolledBack when the task must be reopened
   */
  async run(): Promise<void> {
    let failure: { readonly error: unknown } | undefined;
    try {
      await this.#openAndRun();
    } catch (error) {
      failure = this.#isUnwanted(error) ? undefined : { error };
    }
    try {
      await this.#close();
    } catch (error) {
      // The first error matters; a failure to close after it must not hide it.
      if (failure === undefined) failure = { error };
      else if (error !== this.#abort.signal.reason)
        this.#options.logger.warn({ event: "close-failed", part: this.part }, messageOf(error));
    }
    if (failure === undefined) {
      this.#phase = "ended";
      this.#onIdle();
      return;
    }
    this.#phase = "failed";
    if (failure.error instanceof RolledBack) {
      this.#phase = "reloading";
      this.#figures.rolledBack(this.#live);
      this.#live = undefined;
    }
    throw failure.error;
  }

  /** Another life follows this one: its counts become those of earlier lives. */
  moveCounts(): void {
    // After a rollback that is already done.
    if (this.#phase !== "reloading") this.#figures.ended(this.#live);
    this.#live = undefined;
  }

  unfinished(): Unfinished {
    const { rows = 0, open = 0 } = this.#live?.graph.unfinished() ?? {};
    return { uncommitted: this.#schedule.uncommitted, rows, open };
  }

  stats(): TaskStats {
    return this.#figures.stats({
      part: this.part,
      phase: this.#phase,
      hold: this.#hold,
      live: this.#live,
    });
  }

  /** Windows that are open or close page by page. @param limit of each step: those that close last */
  openWindows(limit: number): readonly OpenWindow[] {
    return this.#live?.graph.openWindows(limit) ?? [];
  }

  async #openAndRun(): Promise<void> {
    const live = await openTask({
      flow: this.#flow,
      part: this.part,
      options: this.#options,
      store: this.#store,
      startLine: this.#startLine,
      resources: this.#resources,
      abort: this.#abort.signal,
      opening: this.#opening.signal,
      onReject: () => {
        this.#figures.refused();
      },
      onFailure: (error) => {
        this.#broken ??= error;
        this.#signal.notify();
      },
    });
    this.#live = live;
    this.#phase = "running";
    this.history.resumed(live.keptCounts);
    if (this.#stopping || this.#ending) this.#stopSource();
    // Sinks that resume are truncated to the last commit, so there must be a commit before the first row.
    if (!live.resumed) await this.#commit(live, false);
    await this.#settle(live);
    const ending = await this.#loop(live);
    this.#phase = "stopping";
    await this.#finish(live, ending);
  }

  /** Errors while opening are ignored when the task is being stopped, unless the drain deadline has passed. */
  #isUnwanted(error: unknown): boolean {
    if (this.#live !== undefined || !this.#stopping || this.#abort.signal.aborted) return false;
    this.#options.logger.warn({ event: "stopped-while-opening", part: this.part }, messageOf(error));
    return true;
  }

  /** Closes everything that was opened. */
  #close(): Promise<void> {
    return this.#inTime("its sources and sinks did not close", () =>
      abortable(this.#resources.close(), this.#abort.signal),
    );
  }

  /** Without a stop no deadline is set, so work at a natural end that may hang gets its own. */
  async #inTime(failure: string, work: () => Promise<void>): Promise<void> {
    const { time, drainTimeoutMs } = this.#options;
    const cancel = time.wakeAfter(drainTimeoutMs, () => {
      const task = `flow "${this.#flow.id}", partition "${this.part}"`;
      this.abort(new DrainTimeoutError(`${task}: ${failure} within ${drainTimeoutMs} ms`));
    });
    try {
      await work();
    } finally {
      cancel();
    }
  }

  async #loop(live: LiveTask): Promise<Ending> {
    const { time, maxTurnMs, observers } = this.#options;
    const observed = observers.want("batchDone");
    const intake = new Intake(live.partition, inputOf(this.#flow).id, this.part, this.#signal);
    for (;;) {
      this.#roundBegan = time.monotonic();
      const batch = await this.#next(live, intake);
      const began = time.monotonic();
      const startedAt = observed ? time.now() : 0;
      if (batch === "end") return this.#stopping ? "stopped" : this.#ending ? "idle" : "end";
      this.#take(live, batch);
      await this.#settle(live);
      const ended = time.monotonic();
      const durationMs = ended - began;
      this.#figures.batchDone(durationMs);
      if (observed) {
        const events = batch.events.length;
        observers.report("batchDone", { part: this.part, startedAt, durationMs, events });
      }
      this.#turnMs += ended - this.#roundBegan;
      if (this.#turnMs >= maxTurnMs) {
        await time.yield();
        this.#turnMs = 0;
      }
    }
  }

  #take(live: LiveTask, { events, times }: TaskBatch): void {
    const { time } = this.#options;
    this.#figures.took(events.length, times);
    this.#schedule.read(events.length);
    if (events.length > 0) {
      this.#idle.events(time.monotonic());
      live.graph.push({ events, keys: undefined, times }, time.now());
    }
    this.#notePosition(live);
  }

  /** The next commit has the source's present position. Called only while no read is outstanding. */
  #notePosition(live: LiveTask): void {
    if (live.committer === undefined) return;
    live.position = named(() => live.partition.snapshot(), this.#ofSource);
    this.#figures.atPosition(live);
  }

  /** Waits for the next batch, and closes windows in between as they become due. */
  async #next(live: LiveTask, intake: Intake): Promise<TaskBatch | "end"> {
    const cut = (): boolean => (this.#stopping || this.#ending) && live.partition.stop === undefined;
    if (cut()) return "end";
    intake.request();
    // A partition with events at hand answers within this turn, and needs no timer.
    await Promise.resolve();
    for (;;) {
      this.#abort.signal.throwIfAborted();
      if (this.#broken !== undefined) throw this.#broken;
      const batch = intake.takeBatch();
      if (batch?.kind === "batch") return { events: batch.events, times: batch.times };
      if (batch?.kind === "end") {
        // A source may have refused its last payloads before the end.
        this.#notePosition(live);
        return "end";
      }
      if (cut()) return "end";
      const answer = intake.takeAnswer();
      if (answer?.kind === "drained") await this.#drained(live, answer);
      else await this.#wait(live, intake, answer?.kind === "not-drained");
    }
  }

  async #drained(
    live: LiveTask,
    { proof, askedAt }: Extract<ProbeAnswer, { readonly kind: "drained" }>,
  ): Promise<void> {
    const { time } = this.#options;
    this.#figures.drained(proof.at);
    this.#idle.drained(proof, askedAt, time.monotonic());
    live.graph.advance(time.now(), proof.at);
    await this.#settle(live);
    if (this.#idle.idle) this.#onIdle();
  }

  /**
   * Steps wait for a time of day, everything else for an interval.
   *
   * @param disproved a probe found events to read: until they are read no other probe is useful
   */
  async #wait(live: LiveTask, intake: Intake, disproved: boolean): Promise<void> {
    const { time } = this.#options;
    const now = time.now();
    const passed = time.monotonic();
    const isDue = (at: number | undefined): boolean => at !== undefined && at <= passed;
    const wakes = live.graph.nextWakes(now);
    const refreshAt = this.#schedule.refreshDue(live.graph);
    if (isDue(refreshAt) || (wakes.time !== undefined && wakes.time <= now)) {
      if (isDue(refreshAt)) this.#schedule.refreshed();
      live.graph.advance(now, undefined);
      await this.#settle(live);
      if (isDue(refreshAt) && !disproved && intake.canProbe) intake.probe(time.monotonic());
      return;
    }
    const commitAt = this.#schedule.commitDue(live.graph);
    if (isDue(commitAt)) {
      await this.#commit(live, false);
      return;
    }
    const ownerAt = live.committer?.canAskOwner === true ? this.#schedule.ownerDue() : undefined;
    if (isDue(ownerAt)) {
      this.#schedule.ownerAsked();
      await abortable(live.committer?.askOwner() ?? Promise.resolve(), this.#abort.signal);
      return;
    }
    const canProbe = !disproved && intake.canProbe;
    const proofAt = canProbe ? wakes.drained : undefined;
    const idleProofAt = canProbe ? this.#idle.nextProbe : undefined;
    const probes = isDue(idleProofAt) || (proofAt !== undefined && proofAt <= now);
    if (probes) intake.probe(passed);
    this.#hold = holdOf(wakes.drained, now, disproved);
    const alarmAt = earliest(wakes.time, probes ? undefined : proofAt);
    const passesAt = earliest(commitAt, refreshAt, ownerAt, probes ? undefined : idleProofAt);
    const cancels = [
      ...(alarmAt === undefined ? [] : [time.wakeAt(alarmAt, this.#signal.notify)]),
      ...(passesAt === undefined ? [] : [time.wakeAfter(passesAt - passed, this.#signal.notify)]),
    ];
    this.#phase = "waiting";
    await this.#signal.wait();
    this.#roundBegan = time.monotonic();
    this.#phase = "running";
    this.#hold = "nothing";
    for (const cancel of cancels) cancel();
  }

  /** Writes what the steps emitted, page by page for a close with several, and commits when that is due. */
  async #settle(live: LiveTask): Promise<void> {
    const { graph, deadLetters } = live;
    while (graph.unsettled || deadLetters.waiting) {
      this.#abort.signal.throwIfAborted();
      this.#schedule.changed();
      await abortable(graph.settle(), this.#abort.signal);
      await abortable(deadLetters.flush(), this.#abort.signal);
      if (!graph.pending) break;
      await this.#commit(live, true);
      await this.#options.time.yield();
      graph.nextPage();
    }
    const due = this.#schedule.commitDue(graph);
    if (due !== undefined && due <= this.#options.time.monotonic()) await this.#commit(live, false);
  }

  /** @param partial further pages of the same close follow */
  async #commit(live: LiveTask, partial: boolean): Promise<void> {
    const { committer, graph, position, partition } = live;
    if (committer === undefined) return;
    const { signal } = this.#abort;
    await this.#flush(live);
    const sinks: Record<string, Json> = {};
    for (const [id, sink] of live.sinks) {
      if (sink.snapshot === undefined) continue;
      const state = namedAsync(() => sink.snapshot?.() ?? Promise.resolve(null), this.#ofSink(id));
      sinks[id] = await abortable(state, signal);
    }
    const outputs = [...live.sinks].flatMap(
      ([id, sink]) => named(() => sink.takeOutputs?.(), this.#ofSink(id)) ?? [],
    );
    this.#schedule.committing(graph);
    const own = this.#figures.withCommit(live);
    const counts = this.history.toKeep(own, graph.keys);
    const { time, observers } = this.#options;
    const timer = startTimer(time);
    const made = committer.commit({ graph, position, sinks, outputs, partial, counts });
    const { changes, bytes } = await abortable(made, signal);
    const timed = timer();
    graph.allOut();
    this.#schedule.committed();
    this.#figures.committed(own, { at: time.now(), durationMs: timed.durationMs, bytes });
    if (observers.want("commitDone")) {
      const rows = outputs.reduce((sum, output) => sum + output.rows.length, 0);
      const { part } = this;
      const { number } = committer;
      observers.report("commitDone", { part, ...timed, number, changes, rows, bytes, partial });
    }
    if (partition.committed === undefined) return;
    const acknowledged = namedAsync(
      () => partition.committed?.(position) ?? Promise.resolve(),
      this.#ofSource,
    );
    await abortable(acknowledged, signal);
  }

  /** Waits until every written row has left this process: a commit, or the end of a run, must come after that. */
  async #flush({ sinks }: LiveTask): Promise<void> {
    const flushed = [...sinks].map(([id, sink]) => namedAsync(() => sink.flush(), this.#ofSink(id)));
    await abortable(Promise.all(flushed), this.#abort.signal);
  }

  /** Wraps an error of a step's sink with the step's name. */
  #ofSink(step: string): NameOf {
    return (error) => asSinkError(error, step, this.part);
  }

  /** Wraps an error of the source with its step's name. */
  readonly #ofSource: NameOf = (error) => asSourceError(error, inputOf(this.#flow).id, this.part);

  /** Stops reading. It may be called at any time, so an error of the source fails the task at its next turn. */
  #stopSource(): void {
    try {
      this.#live?.partition.stop?.();
    } catch (error) {
      this.#broken ??= this.#ofSource(error);
    }
  }

  async #finish(live: LiveTask, ending: Ending): Promise<void> {
    const { graph, committer } = live;
    const now = this.#options.time.now();
    const closes = ending === "end" || (ending === "idle" && this.#options.closeWindows);
    const pages =
      committer === undefined || closes
        ? graph.finishing(ending === "stopped" ? "drain" : "end", now)
        : ending === "idle"
          ? graph.showing(now)
          : [];
    for (const _ of pages) await this.#settle(live);
    await this.#settle(live);
    await this.#inTime("its last rows were not written", () => this.#flush(live));
    if (committer === undefined) graph.allOut();
    else await this.#commit(live, false);
  }
}

/** A batch on its way through the steps. */
interface TaskBatch {
  readonly events: readonly unknown[];
  readonly times: readonly number[] | undefined;
}

/** @param drained when a proof that nothing is left to read lets a step continue */
function holdOf(drained: number | undefined, now: number, disproved: boolean): Hold {
  if (drained === undefined || drained > now) return "nothing";
  return disproved ? "unread-events" : "probe";
}

function earliest(...times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}
