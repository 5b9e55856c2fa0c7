import type { StateChange, StateGroup } from "@millrace/windowing";
import type { Batch, Operator, OperatorContext, Wake } from "../contracts/operator.ts";
import type { SinkPartition } from "../contracts/sink.ts";
import { asSinkError, asStepError } from "../errors.ts";
import { kindOf } from "../graph.ts";
import type { Graph, GraphNode, WindowsBefore } from "../graph.ts";
import type { AsyncOperator, StepContext } from "../operators/step-context.ts";
import type { PartResult } from "../operators/window-operator.ts";
import type { LastFigures, Receiver, StepFigures } from "./operator-node.ts";
import { named, namedAsync } from "./name-errors.ts";
import type { NameOf } from "./name-errors.ts";
import { startTimer } from "./observers.ts";
import type { Observers } from "./observers.ts";
import { figuresOf, OperatorNode, PortEmitter } from "./operator-node.ts";
import type { OpenWindow } from "./stats.ts";
import type { StepCounts } from "./task-counts.ts";

/** A step with asynchronous work: batches wait in its inbox until the task settles. */
class AsyncNode implements Receiver {
  readonly node: GraphNode;
  readonly #operator: AsyncOperator<unknown, unknown>;
  readonly #out: PortEmitter;
  readonly #nameOf: NameOf;
  readonly #figures: LastFigures<StepFigures>;
  readonly #inbox: Batch<unknown>[] = [];
  eventsIn = 0;

  /** @param build creates the operator */
  constructor(
    node: GraphNode,
    build: () => AsyncOperator<unknown, unknown>,
    out: PortEmitter,
    context: OperatorContext,
  ) {
    this.node = node;
    this.#out = out;
    this.#nameOf = (error) => asStepError(error, node.id, context.part);
    const operator = named(build, this.#nameOf);
    this.#operator = operator;
    this.#figures = figuresOf(context, () => ({ figures: operator.stats?.() ?? {}, gauges: [] }));
  }

  get waiting(): boolean {
    return this.#inbox.length > 0;
  }

  /** Never throws. */
  get figures(): StepFigures {
    return this.#figures.now();
  }

  receive(batch: Batch<unknown>): void {
    this.eventsIn += batch.events.length;
    this.#inbox.push(batch);
  }

  async work(): Promise<void> {
    for (const batch of this.#inbox.splice(0)) {
      await namedAsync(() => this.#operator.run(batch, this.#out), this.#nameOf);
    }
  }
}

/** Rows for a sink: they wait until the task settles, so that a sink is awaited once for each batch. */
class OutputNode implements Receiver {
  readonly node: GraphNode;
  readonly sink: SinkPartition<unknown>;
  readonly #context: StepContext;
  readonly #observers: Observers | undefined;
  rows: unknown[] = [];
  eventsIn = 0;
  /** Rows given to the sink. */
  written = 0;
  /** Rows that have left this process. */
  rowsOut = 0;

  constructor(node: GraphNode, sink: SinkPartition<unknown>, context: StepContext, observers: Observers) {
    this.node = node;
    this.sink = sink;
    this.#context = context;
    // Rows that leave with a commit are reported with it.
    const observed = sink.takeOutputs === undefined && observers.want("rowsWritten");
    this.#observers = observed ? observers : undefined;
  }

  receive(batch: Batch<unknown>): void {
    this.eventsIn += batch.events.length;
    if (this.rows.length === 0) this.rows = [...batch.events];
    else for (const row of batch.events) this.rows.push(row);
  }

  async write(): Promise<void> {
    if (this.rows.length === 0) return;
    const { rows } = this;
    const { part, step, time } = this.#context;
    this.rows = [];
    const timer = this.#observers && startTimer(time);
    await namedAsync(
      () => this.sink.writeBatch(rows),
      (error) => asSinkError(error, step, part),
    );
    this.written += rows.length;
    if (timer !== undefined) {
      this.#observers?.report("rowsWritten", { part, step, ...timer(), rows: rows.length });
    }
  }

  /** Rows that the sink has not accepted yet. */
  get unwritten(): number {
    return this.eventsIn - this.written;
  }

  /** Every written row has left: the sink was flushed, and rows that leave with a commit were committed. */
  allOut(): void {
    this.rowsOut = this.written;
  }
}

/** Reports the results of a window step. */
class ObservedResults implements Receiver {
  readonly #context: StepContext;
  readonly #clock: { readonly now: number };
  readonly #observers: Observers;

  constructor(context: StepContext, clock: { readonly now: number }, observers: Observers) {
    this.#context = context;
    this.#clock = clock;
    this.#observers = observers;
  }

  receive({ events }: Batch<unknown>): void {
    const { part, step } = this.#context;
    // A graph has no types any more, but a window step emits nothing else.
    const results = events as readonly PartResult<unknown>[];
    this.#observers.report("resultsEmitted", { part, step, at: this.#clock.now, results });
  }
}

interface LiveFigures extends StepFigures {
  readonly eventsIn: number;
}

/** When the operators of a task want to be called next, by what they need. */
export interface Wakes {
  readonly time: number | undefined;
  readonly drained: number | undefined;
}

/** The live copy of a flow's steps in one task: batches enter at the input, rows leave at the sinks. */
export class TaskGraph {
  readonly #clock = { now: 0 };
  /** By how much system time was set forward since the last turn, ms. */
  #skippedMs = 0;
  readonly #input: PortEmitter;
  readonly #operators: OperatorNode[] = [];
  readonly #asyncs: AsyncNode[] = [];
  readonly #outputs: OutputNode[] = [];
  /** Window steps over results of windows. */
  readonly #following: OperatorNode[] = [];
  /** Ids of window steps whose results other window steps group again. */
  readonly #before = new Set<string>();
  #finishing = false;
  readonly #emitters = new Map<string, PortEmitter>();

  /** @param sinks opened sinks, by step id */
  constructor(
    graph: Graph,
    contextOf: (step: string) => StepContext,
    sinks: ReadonlyMap<string, SinkPartition<unknown>>,
    observers: Observers,
  ) {
    let input: PortEmitter | undefined;
    for (const node of graph.nodes) {
      const ports = node.ports.map((port) => this.#emitter(node.id, port));
      const [down = new PortEmitter(), ...sides] = ports;
      const { role } = node;
      if (role.kind === "input") {
        input = down;
      } else if (role.kind === "operator") {
        const context = contextOf(node.id);
        const { windowsBefore = [] } = node;
        const upstream = this.#upstreamOf(windowsBefore);
        const build = (): Operator<unknown, unknown> => role.build(context, sides, upstream);
        const live = new OperatorNode(node, build, down, this.#clock, context);
        // Connected first, so that an observer has the results before the steps after it.
        if (kindOf(node) === "windows" && observers.want("resultsEmitted")) {
          down.connect(new ObservedResults(context, this.#clock, observers));
        }
        this.#operators.push(live);
        if (windowsBefore.length > 0) this.#following.push(live);
        this.#connect(node, live);
      } else if (role.kind === "async") {
        const context = contextOf(node.id);
        const live = new AsyncNode(node, () => role.build(context), down, context);
        this.#asyncs.push(live);
        this.#connect(node, live);
      } else {
        const sink = sinks.get(node.id);
        if (sink === undefined) throw new Error(`output "${node.id}" has no open sink`);
        const live = new OutputNode(node, sink, contextOf(node.id), observers);
        this.#outputs.push(live);
        this.#connect(node, live);
      }
    }
    if (input === undefined) throw new Error("a graph without input passed validation");
    this.#input = input;
  }

  /** Sends a batch through every synchronous step. */
  push(batch: Batch<unknown>, now: number): void {
    this.#turn(now);
    this.#input.emit(batch);
    this.#follow();
  }

  /** System time is `now`. With `drainedAt`, nothing was left to read at that instant. */
  advance(now: number, drainedAt: number | undefined): void {
    this.#turn(now);
    for (const step of this.#operators) step.call((operator, out) => operator.advance?.(now, drainedAt, out));
  }

  /** System time was set forward by this many ms, which have not passed. The steps are informed at their next turn. */
  skipped(ms: number): void {
    this.#skippedMs += ms;
  }

  /** Whether rows or async work wait, or a close has more pages. */
  get unsettled(): boolean {
    return this.#outputs.some(({ rows }) => rows.length > 0) || this.#onTheWay || this.pending;
  }

  /** Whether a close has more pages. */
  get pending(): boolean {
    return this.#operators.some(({ pending }) => pending);
  }

  /** Runs the waiting async work, first step to last, then gives every sink its rows. */
  async settle(): Promise<void> {
    do {
      for (const node of this.#asyncs) await node.work();
      this.#follow();
    } while (this.#onTheWay);
    await Promise.all(this.#outputs.map((output) => output.write()));
  }

  /** Every row given to a sink has left. */
  allOut(): void {
    for (const output of this.#outputs) output.allOut();
  }

  /** Emits the next page of the first step that has one. */
  nextPage(): void {
    const step = this.#operators.find(({ pending }) => pending);
    step?.call((operator, out) => operator.nextPage?.(out));
    this.#follow();
  }

  /** Ends the input of the steps, first to last: what each emits must settle before the next step's turn. */
  *finishing(cause: "end" | "drain", now: number): Generator<void> {
    this.#turn(now);
    this.#finishing = true;
    for (const step of this.#operators) {
      if (!step.has("finish")) continue;
      step.call((operator, out) => operator.finish?.(cause, now, out));
      yield;
    }
  }

  /**
   * Emits early results of open windows, first step to last, each to be settled as in `finishing`. Windows whose results
   * other windows group again are left out: their final results would be counted in addition.
   */
  *showing(now: number): Generator<void> {
    this.#turn(now);
    for (const step of this.#operators) {
      if (!step.has("early") || this.#before.has(step.node.id)) continue;
      step.call((operator, out) => operator.early?.(now, out));
      yield;
    }
  }

  nextWakes(now: number): Wakes {
    this.#turn(now);
    let time: number | undefined;
    let drained: number | undefined;
    for (const step of this.#operators) {
      const wake: Wake | undefined = step.call((operator) => operator.nextWake?.(now));
      if (wake === undefined) continue;
      if (wake.needs === "time") time = Math.min(time ?? wake.at, wake.at);
      else drained = Math.min(drained ?? wake.at, wake.at);
    }
    return { time, drained };
  }

  /** Event time (ms) up to which every window step has emitted all first results; `undefined`: there is no such step. */
  get watermark(): number | undefined {
    let lowest: number | undefined;
    for (const step of this.#operators) {
      const watermark = step.call((operator) => operator.watermark?.());
      if (watermark !== undefined && watermark < (lowest ?? Infinity)) lowest = watermark;
    }
    return lowest;
  }

  /** Windows that are open or close page by page; never throws. @param limit of each step: those that close last */
  openWindows(limit: number): readonly OpenWindow[] {
    return this.#operators.flatMap((step) => step.openWindows(limit));
  }

  /** The changes of the steps' state since the last call, in groups that start with the step's id. */
  snapshot(): readonly StateChange[] {
    return this.#operators.flatMap((step) =>
      step
        .call((operator) => operator.snapshot?.() ?? [])
        .map((change) => ({ ...change, group: `${step.node.id}/${change.group}` })),
    );
  }

  /** Restores the stored state of every step. */
  restore(groups: ReadonlyMap<string, readonly StateGroup[]>, now: number): void {
    // Their time begins now, whatever the clock did before.
    this.#skippedMs = 0;
    this.#turn(now);
    for (const step of this.#operators) {
      if (!step.has("snapshot")) continue;
      step.call((operator) => operator.restore?.(groups.get(step.node.id) ?? [], now));
    }
  }

  /** Results of windows that have been emitted so far. */
  get results(): number {
    return this.#operators.reduce(
      (sum, { node, out }) => sum + (kindOf(node) === "windows" ? out.events : 0),
      0,
    );
  }

  /**
   * What every step has counted, by its id.
   *
   * @param rows which rows of outputs are taken for out: those that are, or all that the sinks were given, as the commit
   *   that is about to be made will have it
   */
  counts(graph: Graph, rows: "out" | "written" = "out"): Readonly<Record<string, StepCounts>> {
    const live = this.#figures(rows);
    const counts: Record<string, StepCounts> = {};
    for (const { id, ports } of graph.nodes) {
      const step = live.get(id);
      counts[id] = {
        eventsIn: step?.eventsIn ?? this.#input.events,
        eventsOut: Object.fromEntries(ports.map((port) => [port, this.#emitter(id, port).events])),
        figures: step === undefined ? {} : pick(step.figures, (name) => !step.gauges.includes(name)),
      };
    }
    return counts;
  }

  /** The gauges of every step, by its id. */
  gauges(): ReadonlyMap<string, Readonly<Record<string, number>>> {
    return new Map(
      [...this.#figures()].map(([id, { figures, gauges }]) => [
        id,
        pick(figures, (name) => gauges.includes(name)),
      ]),
    );
  }

  /** Keys held by all steps, counted once for each of their windows. */
  get keys(): number {
    let keys = 0;
    for (const { figures } of this.#operators) {
      const { cells = 0, keys: kept = 0 } = figures.figures;
      keys += cells + kept;
    }
    return keys;
  }

  /** What a stop would leave undone now: rows not written, and keys of open windows. */
  unfinished(): { readonly rows: number; readonly open: number } {
    return {
      rows: this.#outputs.reduce((rows, { unwritten }) => rows + unwritten, 0),
      open: this.#operators
        .filter(({ node }) => kindOf(node) === "windows")
        .reduce((open, { figures }) => open + (figures.figures["cells"] ?? 0), 0),
    };
  }

  #figures(rows: "out" | "written" = "out"): ReadonlyMap<string, LiveFigures> {
    const live = new Map<string, LiveFigures>();
    for (const { node, eventsIn, figures } of [...this.#operators, ...this.#asyncs]) {
      live.set(node.id, { eventsIn, ...figures });
    }
    for (const { node, eventsIn, rowsOut, written } of this.#outputs) {
      const figures = { rowsOut: rows === "out" ? rowsOut : written };
      live.set(node.id, { eventsIn, figures, gauges: [] });
    }
    return live;
  }

  /** Whether rows wait for async work. */
  get #onTheWay(): boolean {
    return this.#asyncs.some(({ waiting }) => waiting);
  }

  /** Earlier window steps have advanced, and their results have reached the later ones, unless they are in-flight. */
  #follow(): void {
    if (this.#following.length === 0 || this.#finishing || this.#onTheWay) return;
    const { now } = this.#clock;
    for (const step of this.#following) step.call((operator, out) => operator.advance?.(now, undefined, out));
  }

  /** @param ids window steps that exist already */
  #upstreamOf(ids: readonly string[]): WindowsBefore {
    const steps = this.#operators.filter(({ node }) => ids.includes(node.id));
    for (const id of ids) this.#before.add(id);
    const finalUpTo = (step: OperatorNode): number =>
      step.call((operator) => operator.watermark?.() ?? Number.NEGATIVE_INFINITY);
    return {
      finalUpTo: () =>
        this.#onTheWay || this.#finishing ? Number.NEGATIVE_INFINITY : Math.min(...steps.map(finalUpTo)),
      wholeFrom: (readFrom) =>
        Math.max(
          ...steps.map((step) =>
            step.call((operator) => operator.wholeFrom?.(readFrom) ?? Number.NEGATIVE_INFINITY),
          ),
        ),
      wakeFor: (needed) => {
        const wakes: Wake[] = [];
        for (const step of steps) {
          if (finalUpTo(step) >= needed) continue;
          const wake = step.call((operator) => operator.wakeFor?.(needed));
          if (wake === undefined) return undefined;
          wakes.push(wake);
        }
        return wakes.sort((a, b) => a.at - b.at)[0];
      },
    };
  }

  /** The next calls are made at `now`. A step of the clock is reported first, since `now` includes it. */
  #turn(now: number): void {
    const skippedMs = this.#skippedMs;
    this.#skippedMs = 0;
    this.#clock.now = now;
    if (skippedMs === 0) return;
    for (const step of this.#operators) step.call((operator) => operator.skipped?.(skippedMs));
  }

  #emitter(node: string, port: string): PortEmitter {
    const name = `${node}/${port}`;
    const known = this.#emitters.get(name);
    if (known !== undefined) return known;
    const made = new PortEmitter();
    this.#emitters.set(name, made);
    return made;
  }

  #connect(node: GraphNode, receiver: Receiver): void {
    for (const { node: from, port } of node.inputs) this.#emitter(from, port).connect(receiver);
  }
}

function pick(
  figures: Readonly<Record<string, number>>,
  wanted: (name: string) => boolean,
): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(figures).filter(([name]) => wanted(name)));
}
