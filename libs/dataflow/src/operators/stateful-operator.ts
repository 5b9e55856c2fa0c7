import { DueHeap } from "@millrace/windowing";
import type { Json, JsonCodec, StateChange, StateField, StateGroup } from "@millrace/windowing";
import type { Batch, Emitter, Operator, Wake } from "../contracts/operator.ts";
import { StateError, StepError, messageOf } from "../errors.ts";
import { excerpt } from "../excerpt.ts";
import { isJson, stateToJson } from "../json-value.ts";
import type { StepContext } from "./step-context.ts";

/** What a stateful step is told besides its state. */
export interface KeyContext {
  readonly key: string;
  /** System time, ms. */
  readonly now: number;
}

/** What a stateful step makes of one call. */
export interface KeyedStep<S, Out> {
  /** The key's state from now on; `undefined`: the key is forgotten, its notification too. */
  readonly state: S | undefined;
  readonly out?: Iterable<Out>;
  /** Call `onNotify` at this system time (ms), instead of any time asked for before. `undefined`: not at all. */
  readonly notifyAt?: number | undefined;
}

/** The logic of a stateful step: pure, one call for each event, notification and end, always for one key. */
export interface KeyedLogic<V, S, Out> {
  /**
   * An event of the key.
   *
   * @param state `undefined` for a key that is new or was forgotten
   */
  onEvent(state: S | undefined, value: V, context: KeyContext): KeyedStep<S, Out>;
  /** The time that was asked for has come. @default the key's state stays, nothing comes out */
  onNotify?(state: S, context: KeyContext): KeyedStep<S, Out>;
  /**
   * The input is over, or the worker stops without a store. State that stays is there for a later run over more
   * input. @default the key's state stays, nothing comes out
   */
  onEnd?(state: S, context: KeyContext): KeyedStep<S, Out>;
  /** Turns the state into JSON and back. @default the state is plain JSON already */
  readonly codec?: JsonCodec<S>;
}

/** One key's state and place among the notifications. */
interface Cell<S> {
  readonly key: string;
  readonly order: number;
  state: S;
  due: number;
  slot: number;
}

const GROUP = "keys";

/** Runs a {@link KeyedLogic}: keeps each key's state, wakes for notifications, recovers. */
export class StatefulOperator<V, S, Out> implements Operator<V, Out> {
  readonly #context: StepContext;
  readonly #logic: KeyedLogic<V, S, Out>;
  readonly #cells = new Map<string, Cell<S>>();
  readonly #alarms = new DueHeap<Cell<S>>();
  #changed: Set<string> | undefined;
  #order = 0;

  constructor(context: StepContext, logic: KeyedLogic<V, S, Out>) {
    this.#context = context;
    this.#logic = logic;
  }

  process(batch: Batch<V>, now: number, out: Emitter<Out>): void {
    const rows = new KeyedRows<Out>(batch.times !== undefined);
    for (const [row, value] of batch.events.entries()) {
      const key = batch.keys?.[row] ?? "";
      const cell = this.#cells.get(key);
      const step = this.#call(value, () => this.#logic.onEvent(cell?.state, value, { key, now }));
      this.#apply(key, cell, step);
      for (const made of step.out ?? []) rows.push(made, key, batch.times?.[row] ?? NaN);
    }
    rows.emit(out);
  }

  advance(now: number, _drainedAt: number | undefined, out: Emitter<Out>): void {
    const rows = new KeyedRows<Out>(false);
    for (let cell = this.#alarms.peek(); cell !== undefined && cell.due <= now; cell = this.#alarms.peek()) {
      const { key, state } = cell;
      this.#alarms.remove(cell);
      const step = this.#call(undefined, () => this.#logic.onNotify?.(state, { key, now }) ?? { state });
      this.#apply(key, cell, step);
      for (const made of step.out ?? []) rows.push(made, key, NaN);
    }
    rows.emit(out);
  }

  finish(_cause: "end" | "drain", now: number, out: Emitter<Out>): void {
    const rows = new KeyedRows<Out>(false);
    if (this.#logic.onEnd === undefined) return;
    for (const cell of [...this.#cells.values()]) {
      const { key, state } = cell;
      const step = this.#call(undefined, () => this.#logic.onEnd?.(state, { key, now }) ?? { state });
      this.#apply(key, cell, step);
      for (const made of step.out ?? []) rows.push(made, key, NaN);
    }
    rows.emit(out);
  }

  nextWake(): Wake | undefined {
    const first = this.#alarms.peek();
    return first === undefined ? undefined : { at: first.due, needs: "time" };
  }

  snapshot(): readonly StateChange[] {
    const changed = this.#changed ?? new Set(this.#cells.keys());
    this.#changed = new Set();
    if (changed.size === 0) return [];
    const put: StateField[] = [];
    const gone: string[] = [];
    for (const key of changed) {
      const cell = this.#cells.get(key);
      if (cell === undefined) gone.push(key);
      else put.push([key, this.#toJson(cell)]);
    }
    return [{ group: GROUP, put, delete: gone }];
  }

  restore(groups: Iterable<StateGroup>): void {
    for (const [group, fields] of groups) {
      if (group !== GROUP)
        throw new StateError(`${this.#where}: kept state has an unknown group ${JSON.stringify(group)}`);
      for (const [key, value] of fields) this.#apply(key, undefined, this.#fromJson(value));
    }
    this.#changed = new Set();
  }

  stats(): Readonly<Record<string, number>> {
    return { keys: this.#cells.size };
  }

  get #where(): string {
    return `step "${this.#context.step}", partition "${this.#context.part}"`;
  }

  #apply(key: string, cell: Cell<S> | undefined, step: KeyedStep<S, Out>): void {
    this.#changed?.add(key);
    if (step.state === undefined) {
      if (cell !== undefined && cell.slot >= 0) this.#alarms.remove(cell);
      this.#cells.delete(key);
      return;
    }
    const kept = cell ?? { key, order: this.#order++, state: step.state, due: Infinity, slot: -1 };
    if (cell === undefined) this.#cells.set(key, kept);
    kept.state = step.state;
    this.#schedule(kept, step.notifyAt);
  }

  #schedule(cell: Cell<S>, at: number | undefined): void {
    if (at === undefined) {
      if (cell.slot >= 0) this.#alarms.remove(cell);
    } else if (cell.slot >= 0) {
      this.#alarms.move(cell, at);
    } else {
      cell.due = at;
      this.#alarms.push(cell);
    }
  }

  #call<T>(value: V | undefined, call: () => T): T {
    try {
      return call();
    } catch (error) {
      const event = value === undefined ? "" : ` (event: ${excerpt(value)})`;
      throw new StepError(this.#context.step, this.#context.part, `${messageOf(error)}${event}`, error);
    }
  }

  #toJson(cell: Cell<S>): Json {
    const state = stateToJson(cell.state, this.#logic.codec, this.#where);
    return cell.slot < 0 ? { state } : { state, notifyAt: cell.due };
  }

  #fromJson(value: Json): KeyedStep<S, Out> {
    const { state, notifyAt } = asRecord(value, this.#where);
    if (state === undefined || (notifyAt !== undefined && typeof notifyAt !== "number")) {
      throw new StateError(`${this.#where}: kept state is damaged: ${excerpt(value)}`);
    }
    const { codec } = this.#logic;
    // Without a codec the state is JSON itself, as snapshot() made sure.
    return { state: codec === undefined ? (state as S) : codec.restore(state), notifyAt };
  }
}

function asRecord(value: Json, where: string): Readonly<Record<string, Json | undefined>> {
  if (value === null || typeof value !== "object" || Array.isArray(value) || !isJson(value)) {
    throw new StateError(`${where}: kept state is damaged: ${excerpt(value)}`);
  }
  return value as Readonly<Record<string, Json | undefined>>;
}

/** Rows with their keys, gathered during one call. */
class KeyedRows<Out> {
  readonly #events: Out[] = [];
  readonly #keys: string[] = [];
  readonly #times: number[] | undefined;

  constructor(timed: boolean) {
    this.#times = timed ? [] : undefined;
  }

  push(event: Out, key: string, time: number): void {
    this.#events.push(event);
    this.#keys.push(key);
    this.#times?.push(time);
  }

  emit(out: Emitter<Out>): void {
    if (this.#events.length > 0) out.emit({ events: this.#events, keys: this.#keys, times: this.#times });
  }
}
