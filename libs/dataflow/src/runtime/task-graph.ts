import type { StateGroup } from "@millrace/windowing";
import type { Batch, Operator, Wake } from "../contracts/operator.ts";
import type { SinkPartition } from "../contracts/sink.ts";
import { asSinkError, asStepError } from "../errors.ts";
import type { Graph, GraphNode } from "../graph.ts";
import type { AsyncOperator } from "../operators/async-operator.ts";
import type { StepContext } from "../operators/step-context.ts";
import { PortEmitter } from "./port-emitter.ts";
import type { Receiver } from "./port-emitter.ts";
import type { StepStats } from "./stats.ts";

/** A step that works on its batch at once. */
class OperatorNode implements Receiver {
  readonly node: GraphNode;
  readonly operator: Operator<unknown, unknown>;
  readonly #out: PortEmitter;
  readonly #clock: { readonly now: number };
  readonly #part: string;
  eventsIn = 0;

  constructor(
    node: GraphNode,
    operator: Operator<unknown, unknown>,
    out: PortEmitter,
    clock: { readonly now: number },
    part: string,
  ) {
    this.node = node;
    this.operator = operator;
    this.#out = out;
    this.#clock = clock;
    this.#part = part;
  }

  receive(batch: Batch<unknown>): void {
    this.eventsIn += batch.events.length;
    try {
      this.operator.process(batch, this.#clock.now, this.#out);
    } catch (error) {
      throw asStepError(error, this.node.id, this.#part);
    }
  }

  get out(): PortEmitter {
    return this.#out;
  }
}

/** A step whose work is awaited: batches wait in its inbox until the task settles. */
class AsyncNode implements Receiver {
  readonly node: GraphNode;
  readonly operator: AsyncOperator<unknown, unknown>;
  readonly out: PortEmitter;
  readonly inbox: Batch<unknown>[] = [];
  eventsIn = 0;

  constructor(node: GraphNode, operator: AsyncOperator<unknown, unknown>, out: PortEmitter) {
    this.node = node;
    this.operator = operator;
    this.out = out;
  }

  receive(batch: Batch<unknown>): void {
    this.eventsIn += batch.events.length;
    this.inbox.push(batch);
  }
}

/** Rows for a sink: they wait until the task settles, so that a sink is awaited once for each batch. */
class OutputNode implements Receiver {
  readonly node: GraphNode;
  readonly sink: SinkPartition<unknown>;
  readonly #part: string;
  rows: unknown[] = [];
  eventsIn = 0;

  constructor(node: GraphNode, sink: SinkPartition<unknown>, part: string) {
    this.node = node;
    this.sink = sink;
    this.#part = part;
  }

  receive(batch: Batch<unknown>): void {
    this.eventsIn += batch.events.length;
    if (this.rows.length === 0) this.rows = [...batch.events];
    else for (const row of batch.events) this.rows.push(row);
  }

  async flush(): Promise<void> {
    if (this.rows.length === 0) return;
    const { rows } = this;
    this.rows = [];
    try {
      await this.sink.writeBatch(rows);
    } catch (error) {
      throw asSinkError(error, this.node.id, this.#part);
    }
  }
}

/** When the operators of a task want to be called next, by what they need. */
export interface Wakes {
  readonly time: number | undefined;
  readonly drained: number | undefined;
}

/** The live copy of a flow's steps in one task: batches are pushed in at the input, rows come out at the sinks. */
export class TaskGraph {
  readonly #clock = { now: 0 };
  readonly #input: PortEmitter;
  readonly #inputNode: GraphNode;
  readonly #operators: OperatorNode[] = [];
  readonly #asyncs: AsyncNode[] = [];
  readonly #outputs: OutputNode[] = [];
  readonly #emitters = new Map<string, PortEmitter>();

  /** @param sinks opened sinks, by step id */
  constructor(
    graph: Graph,
    contextOf: (step: string) => StepContext,
    sinks: ReadonlyMap<string, SinkPartition<unknown>>,
  ) {
    let input: { readonly node: GraphNode; readonly emitter: PortEmitter } | undefined;
    for (const node of graph.nodes) {
      const ports = node.ports.map((port) => this.#emitter(node.id, port));
      const [down = new PortEmitter(), ...sides] = ports;
      const { role } = node;
      if (role.kind === "input") {
        input = { node, emitter: down };
      } else if (role.kind === "operator") {
        const context = contextOf(node.id);
        const live = new OperatorNode(node, role.build(context, sides), down, this.#clock, context.part);
        this.#operators.push(live);
        this.#connect(node, live);
      } else if (role.kind === "async") {
        const live = new AsyncNode(node, role.build(contextOf(node.id)), down);
        this.#asyncs.push(live);
        this.#connect(node, live);
      } else {
        const sink = sinks.get(node.id);
        if (sink === undefined) throw new Error(`output "${node.id}" has no open sink`);
        const live = new OutputNode(node, sink, contextOf(node.id).part);
        this.#outputs.push(live);
        this.#connect(node, live);
      }
    }
    if (input === undefined) throw new Error("a graph without input passed validation");
    this.#input = input.emitter;
    this.#inputNode = input.node;
  }

  /** Sends a batch through every step that works at once. */
  push(batch: Batch<unknown>, now: number): void {
    this.#clock.now = now;
    this.#input.emit(batch);
  }

  /** Tells the stateful steps, first to last, that time has come to `now`. */
  advance(now: number, drainedAt: number | undefined): void {
    this.#clock.now = now;
    for (const { operator, out } of this.#operators) operator.advance?.(now, drainedAt, out);
  }

  /** Whether rows or async work wait, or a close has more pages. */
  get unsettled(): boolean {
    return (
      this.#outputs.some(({ rows }) => rows.length > 0) ||
      this.#asyncs.some(({ inbox }) => inbox.length > 0) ||
      this.pending
    );
  }

  /** Whether a close has more pages. */
  get pending(): boolean {
    return this.#operators.some(({ operator }) => operator.pending === true);
  }

  /** Does the async work that waits, first step to last, then hands every sink its rows. */
  async settle(): Promise<void> {
    for (const node of this.#asyncs) {
      for (const batch of node.inbox.splice(0)) await node.operator.run(batch, node.out);
    }
    await Promise.all(this.#outputs.map((output) => output.flush()));
  }

  /** Emits the next page of the first step that has one. */
  nextPage(): void {
    const node = this.#operators.find(({ operator }) => operator.pending === true);
    node?.operator.nextPage?.(node.out);
  }

  /** The steps that close something at the end, first to last: each must settle before the next is told. */
  *finishing(cause: "end" | "drain", now: number): Generator<void> {
    for (const { operator, out } of this.#operators) {
      if (operator.finish === undefined) continue;
      this.#clock.now = now;
      operator.finish(cause, now, out);
      yield;
    }
  }

  nextWakes(now: number): Wakes {
    let time: number | undefined;
    let drained: number | undefined;
    for (const { operator } of this.#operators) {
      const wake: Wake | undefined = operator.nextWake?.(now);
      if (wake === undefined) continue;
      if (wake.needs === "time") time = Math.min(time ?? wake.at, wake.at);
      else drained = Math.min(drained ?? wake.at, wake.at);
    }
    return { time, drained };
  }

  /** Event time (ms) up to which every window step has emitted all its first results; `undefined`: there is none. */
  get watermark(): number | undefined {
    let lowest: number | undefined;
    for (const { operator } of this.#operators) {
      const watermark = operator.watermark?.();
      if (watermark !== undefined && watermark < (lowest ?? Infinity)) lowest = watermark;
    }
    return lowest;
  }

  /** The steps that keep state. */
  get stateful(): readonly { readonly node: GraphNode; readonly operator: Operator<unknown, unknown> }[] {
    return this.#operators.filter(({ operator }) => operator.snapshot !== undefined);
  }

  restore(step: string, groups: Iterable<StateGroup>, now: number): void {
    const found = this.#operators.find(({ node }) => node.id === step);
    found?.operator.restore?.(groups, now);
  }

  /** Results of windows that have left so far. */
  get results(): number {
    return this.#operators.reduce(
      (sum, { node, out }) => sum + (node.operator === "window" ? out.events : 0),
      0,
    );
  }

  /** Figures of every step, in the graph's order. */
  stats(graph: Graph): readonly StepStats[] {
    const live = new Map<
      string,
      { readonly eventsIn: number; readonly extra: Readonly<Record<string, number>> }
    >();
    for (const { node, operator, eventsIn } of [...this.#operators, ...this.#asyncs]) {
      live.set(node.id, { eventsIn, extra: operator.stats?.() ?? {} });
    }
    for (const { node, eventsIn } of this.#outputs) live.set(node.id, { eventsIn, extra: {} });
    return graph.nodes.map((node) => ({
      id: node.id,
      operator: node.operator,
      eventsIn: live.get(node.id)?.eventsIn ?? this.#emitter(this.#inputNode.id, "down").events,
      eventsOut: Object.fromEntries(node.ports.map((port) => [port, this.#emitter(node.id, port).events])),
      figures: live.get(node.id)?.extra ?? {},
    }));
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
