import type { Json } from "@millrace/windowing";
import type { PartContext, Source, SourcePartition } from "../contracts/source.ts";
import type { SinkPartition } from "../contracts/sink.ts";
import type { Store } from "../contracts/store.ts";
import type { Dataflow } from "../dataflow.ts";
import { PAYLOAD_LENGTH, excerpt } from "../excerpt.ts";
import { abortable } from "./abortable.ts";
import { Committer, groupsByStep } from "./committer.ts";
import { DeadLetters } from "./dead-letters.ts";
import { IdleWatch } from "./idle-watch.ts";
import { Intake } from "./intake.ts";
import type { TaskOptions } from "./options.ts";
import { Resources } from "./resources.ts";
import { Signal } from "./signal.ts";
import { signatureOf } from "./signature.ts";
import type { TaskPhase, TaskStats } from "./stats.ts";
import { TaskGraph } from "./task-graph.ts";

/** Why a task's input ended. */
type Ending = "end" | "stopped";

/**
 * A live copy of a flow over one partition. Its life: open everything, restore, then batch by batch — process,
 * write, commit — with windows closed in between as time allows; at the end close what is to be closed.
 */
export class Task {
  readonly part: string;
  readonly #flow: Dataflow;
  readonly #options: TaskOptions;
  readonly #store: Store | undefined;
  readonly #onIdle: () => void;
  readonly #signal = new Signal();
  /** Aborted when the task must end at once. */
  readonly #abort = new AbortController();
  /** Aborted when what is being opened is not wanted any more. */
  readonly #opening = new AbortController();
  readonly #resources = new Resources();
  #phase: TaskPhase = "starting";
  #live: Live | undefined;
  #stopping = false;
  #ending = false;
  #batches = 0;
  #lastBatchMs = 0;
  #longestBatchMs = 0;
  #rejected = 0;
  #drainedAt: number | undefined;

  /** @param onIdle called whenever the task has become idle; `endInput` is the answer */
  constructor(
    flow: Dataflow,
    part: string,
    options: TaskOptions,
    store: Store | undefined,
    onIdle: () => void,
  ) {
    this.#flow = flow;
    this.part = part;
    this.#options = options;
    this.#store = store;
    this.#onIdle = onIdle;
  }

  get idle(): boolean {
    return this.#live?.idle.idle ?? false;
  }

  /** Ends the intake; what was read is finished and committed. */
  stop(): void {
    this.#stopping = true;
    if (this.#phase === "starting") this.#opening.abort();
    this.#live?.partition.stop?.();
    this.#signal.notify();
  }

  /** Treats the input as over; windows close. */
  endInput(): void {
    this.#ending = true;
    this.#live?.partition.stop?.();
    this.#signal.notify();
  }

  /** Gives up at once: nothing is finished and nothing committed. */
  abort(reason: Error): void {
    this.#abort.abort(reason);
    this.#opening.abort(reason);
    this.#signal.notify();
  }

  /** Runs to the end of the input or until stopped. Everything it opened is closed when it settles. */
  async run(): Promise<void> {
    try {
      const live = await this.#open();
      this.#live = live;
      this.#phase = "running";
      if (this.#stopping || this.#ending) live.partition.stop?.();
      await this.#settle(live);
      const ending = await this.#loop(live);
      this.#phase = "stopping";
      await this.#finish(live, ending);
      this.#phase = "ended";
    } catch (error) {
      // Whoever stops a task while it opens its source has no use for why that did not succeed.
      const unwanted = this.#live === undefined && this.#stopping;
      this.#phase = unwanted ? "ended" : "failed";
      if (!unwanted) throw error;
    } finally {
      await this.#resources.close();
    }
  }

  stats(): TaskStats {
    const live = this.#live;
    const read = live?.read ?? 0;
    return {
      part: this.part,
      phase: this.#phase,
      source: live?.partition.stats?.() ?? { read, duplicates: 0, lost: 0, queued: 0 },
      rejected: this.#rejected,
      batches: this.#batches,
      lastBatchMs: this.#lastBatchMs,
      longestBatchMs: this.#longestBatchMs,
      commits: live?.committer?.number ?? 0,
      drainedAt: this.#drainedAt,
      steps: live?.graph.stats(this.#flow.graph) ?? [],
    };
  }

  async #open(): Promise<Live> {
    const { graph } = this.#flow;
    const { logger, time } = this.#options;
    const signature = signatureOf(this.#flow);
    const committer = await this.#openStore(signature);
    const state = await committer?.load();

    const deadLetterSink = this.#flow.options.deadLetter;
    const context = (step: string, letters?: DeadLetters): PartContext => ({
      step,
      logger,
      time,
      signal: this.#opening.signal,
      reject: (payload, reason) => {
        this.#rejected += 1;
        letters?.put({ step, part: this.part, reason, payload: excerpt(payload, PAYLOAD_LENGTH) });
      },
    });
    const letterPart = await deadLetterSink?.buildPart(
      this.part,
      state?.sinks[DEAD_LETTER],
      context(DEAD_LETTER),
    );
    if (letterPart !== undefined) this.#resources.add(letterPart);
    const deadLetters = new DeadLetters(letterPart, logger);

    const sinks = new Map<string, SinkPartition<unknown>>();
    for (const { id, role } of graph.nodes) {
      if (role.kind !== "output") continue;
      const sink = await role.sink.buildPart(this.part, state?.sinks[id], context(id));
      this.#resources.add(sink);
      sinks.set(id, sink);
    }
    const input = inputOf(this.#flow);
    const partition = await input.source.buildPart(
      this.part,
      state?.position,
      context(input.id, deadLetters),
    );
    this.#resources.add(partition);

    const live = new TaskGraph(
      graph,
      (step) => ({
        step,
        part: this.part,
        logger,
        time,
        signal: this.#abort.signal,
        completeness: (open, close) => partition.completeness?.(open, close) ?? "unknown",
        deadLetter: deadLetters.put,
      }),
      sinks,
    );
    if (state !== undefined) {
      const groups = groupsByStep(state);
      for (const { node } of live.stateful) live.restore(node.id, groups.get(node.id) ?? [], time.now());
    }
    if (letterPart !== undefined) sinks.set(DEAD_LETTER, letterPart);
    return {
      graph: live,
      partition,
      intake: new Intake(partition, this.#signal),
      idle: new IdleWatch(this.#options.exitWhenIdleMs, state !== undefined),
      deadLetters,
      sinks,
      committer,
      position: partition.snapshot(),
      read: 0,
      uncommitted: 0,
      dirtySince: undefined,
    };
  }

  async #openStore(signature: string): Promise<Committer | undefined> {
    if (this.#store === undefined) return undefined;
    const task = { flow: this.#flow.id, part: this.part };
    const store = await this.#store.acquire(task);
    this.#resources.add(store);
    return new Committer(store, signature, `${task.flow}/${task.part}`);
  }

  async #loop(live: Live): Promise<Ending> {
    const { time, maxTurnMs } = this.#options;
    let turnBegan = time.now();
    for (;;) {
      const batch = await this.#next(live);
      const began = time.now();
      if (batch === "end") return this.#stopping ? "stopped" : "end";
      live.read += batch.events.length;
      live.uncommitted += batch.events.length;
      live.dirtySince ??= began;
      if (batch.events.length > 0) {
        live.idle.events();
        live.graph.push({ events: batch.events, keys: undefined, times: batch.times }, began);
      }
      live.position = live.committer === undefined ? null : live.partition.snapshot();
      await this.#settle(live);
      const ended = time.now();
      this.#batches += 1;
      this.#lastBatchMs = ended - began;
      this.#longestBatchMs = Math.max(this.#longestBatchMs, this.#lastBatchMs);
      if (ended - turnBegan >= maxTurnMs) {
        await time.yield();
        turnBegan = time.now();
      }
    }
  }

  /** Waits for the next batch, and meanwhile lets windows close as time allows. */
  async #next(
    live: Live,
  ): Promise<{ readonly events: readonly unknown[]; readonly times: readonly number[] | undefined } | "end"> {
    const { intake } = live;
    intake.request();
    // A partition that has something at hand answers within this turn, and no timer needs to be set.
    await Promise.resolve();
    for (;;) {
      this.#abort.signal.throwIfAborted();
      const batch = intake.takeBatch();
      if (batch?.kind === "batch") return { events: batch.events, times: batch.times };
      if (batch?.kind === "end") return "end";
      if ((this.#stopping || this.#ending) && live.partition.stop === undefined) return "end";
      const answer = intake.takeAnswer();
      if (answer?.kind === "drained") await this.#drained(live, answer.proof);
      else await this.#wait(live, answer?.kind === "not-drained");
    }
  }

  async #drained(live: Live, proof: { readonly at: number; readonly connection: number }): Promise<void> {
    this.#drainedAt = proof.at;
    live.idle.drained(proof);
    live.graph.advance(this.#options.time.now(), proof.at);
    await this.#settle(live);
    if (live.idle.idle) this.#onIdle();
  }

  /** @param disproved a probe found something that waits to be read: until then no other is worth while */
  async #wait(live: Live, disproved: boolean): Promise<void> {
    const { time } = this.#options;
    const now = time.now();
    const wakes = live.graph.nextWakes(now);
    if (wakes.time !== undefined && wakes.time <= now) {
      live.graph.advance(now, undefined);
      await this.#settle(live);
      return;
    }
    const commitAt = this.#commitDue(live);
    if (commitAt !== undefined && commitAt <= now) {
      await this.#commit(live, false);
      return;
    }
    const probeAt = disproved ? undefined : earliest(wakes.drained, live.idle.nextProbe);
    if (probeAt !== undefined && probeAt <= now) this.#probe(live, now);
    const alarm = earliest(
      wakes.time,
      commitAt,
      probeAt !== undefined && probeAt > now ? probeAt : undefined,
    );
    const cancel = alarm === undefined ? undefined : time.wakeAt(alarm, this.#signal.notify);
    this.#phase = "waiting";
    await this.#signal.wait();
    this.#phase = "running";
    cancel?.();
  }

  #probe(live: Live, now: number): void {
    if (live.intake.canProbe) live.intake.probe();
    // Such a source cannot prove anything; that nothing came for so long has to do for ending an idle run.
    else if (live.idle.nextProbe !== undefined && live.idle.nextProbe <= now) {
      live.idle.drained({ at: now, connection: 0 });
      if (live.idle.idle) this.#onIdle();
      this.#signal.notify();
    }
  }

  /** Writes what the steps made, page by page where a close has several, and commits where that is due. */
  async #settle(live: Live): Promise<void> {
    const { graph, deadLetters } = live;
    while (graph.unsettled || deadLetters.waiting) {
      this.#abort.signal.throwIfAborted();
      if (graph.unsettled) live.dirtySince ??= this.#options.time.now();
      await abortable(graph.settle(), this.#abort.signal);
      await abortable(deadLetters.flush(), this.#abort.signal);
      if (!graph.pending) break;
      await this.#commit(live, true);
      await this.#options.time.yield();
      graph.nextPage();
    }
    const due = this.#commitDue(live);
    if (due !== undefined && due <= this.#options.time.now()) await this.#commit(live, false);
  }

  #commitDue(live: Live): number | undefined {
    if (live.committer === undefined || live.dirtySince === undefined) return undefined;
    return live.uncommitted >= this.#options.commitEveryEvents
      ? -Infinity
      : live.dirtySince + this.#options.commitEveryMs;
  }

  async #commit(live: Live, partial: boolean): Promise<void> {
    const { committer, graph, position } = live;
    if (committer === undefined) return;
    const sinks: Record<string, Json> = {};
    for (const [id, sink] of live.sinks) {
      if (sink.snapshot !== undefined) sinks[id] = await sink.snapshot();
    }
    await abortable(committer.commit(graph, position, sinks, partial), this.#abort.signal);
    live.uncommitted = 0;
    live.dirtySince = undefined;
    await live.partition.committed?.(position);
  }

  async #finish(live: Live, ending: Ending): Promise<void> {
    const keepsState = ending === "stopped" && live.committer !== undefined;
    if (!keepsState) {
      const cause = ending === "end" ? "end" : "drain";
      for (const _ of live.graph.finishing(cause, this.#options.time.now())) await this.#settle(live);
    }
    await this.#settle(live);
    await this.#commit(live, false);
  }
}

/** What exists only while a task is open. */
interface Live {
  readonly graph: TaskGraph;
  readonly partition: SourcePartition<unknown>;
  readonly intake: Intake;
  readonly idle: IdleWatch;
  readonly deadLetters: DeadLetters;
  readonly sinks: ReadonlyMap<string, SinkPartition<unknown>>;
  readonly committer: Committer | undefined;
  /** Position behind the last batch that was processed. */
  position: Json;
  read: number;
  /** Events since the last commit. */
  uncommitted: number;
  /** Since when (ms) something waits to be committed. */
  dirtySince: number | undefined;
}

/** Stands for the dead letter among the sinks; no step can have this id. */
const DEAD_LETTER = "(dead-letter)";

function inputOf(flow: Dataflow): { readonly id: string; readonly source: Source<unknown> } {
  const { input } = flow.graph;
  if (input === undefined) throw new Error("a flow without input passed validation");
  return input;
}

function earliest(...times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}
