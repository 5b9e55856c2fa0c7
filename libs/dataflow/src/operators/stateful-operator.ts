import { DueHeap, jsonBytes, MAX_KEPT_BYTES } from "@millrace/windowing";
import type { Json, JsonCodec, StateChange, StateField, StateGroup } from "@millrace/windowing";
import type { Batch, Emitter, Operator, Wake } from "../contracts/operator.ts";
import { FlowError, KeyStateTooLargeError, StateError } from "../errors.ts";
import { excerpt } from "../excerpt.ts";
import { ErrorHandler } from "./error-policy.ts";
import type { StepOptions } from "./error-policy.ts";
import { asRecord, stateToJson } from "./keyed-state.ts";
import type { StepContext } from "./step-context.ts";

/** What the logic of a stateful step gets besides the state. */
export interface KeyContext {
  readonly key: string;
  /** System time, ms. */
  readonly now: number;
}

/** The result of one call of the logic. */
export interface KeyedStep<S, Out> {
  /** The key's next state; `undefined`: the key is forgotten, and its notification too. */
  readonly state: S | undefined;
  /** Read at once; if a generator throws, the call has failed and its state is not kept. */
  readonly out?: Iterable<Out>;
  /**
   * Call `onNotify` at this system time (ms). It replaces an earlier request. `undefined` or `Infinity`: no call; `NaN`
   * is an error.
   */
  readonly notifyAt?: number | undefined;
}

/** The logic of a stateful step: pure, one call for each event, notification and end, each for one key. */
export interface KeyedLogic<V, S, Out> {
  /** The state of a key that is new or was forgotten. If the state is a mutable object, return a new one each time. */
  create(): S;
  /** An event of the key. */
  onEvent(state: S, value: V, context: KeyContext): KeyedStep<S, Out>;
  /** The requested time has come. @default the key's state stays, nothing is emitted */
  onNotify?(state: S, context: KeyContext): KeyedStep<S, Out>;
  /**
   * The input has ended, or the worker stops without a store. The state that it returns is kept for a later run over
   * more input. @default the key's state stays, nothing is emitted
   */
  onEnd?(state: S, context: KeyContext): KeyedStep<S, Out>;
  /** Converts the state to JSON and back. @default the state is plain JSON already */
  readonly codec?: JsonCodec<S>;
}

/** One key's state, with its place in the queue of notifications. */
interface Cell<S> {
  readonly key: string;
  readonly order: number;
  state: S;
  due: number;
  slot: number;
  /** Bytes of its stored state; 0 if it has changed since. */
  bytes: number;
  /** Bytes of its state when it was last stored; 0 if it never was. */
  lastBytes: number;
}

/** The result of a call, with all its rows. */
interface Made<S, Out> extends KeyedStep<S, Out> {
  readonly out: readonly Out[];
}

/** Options of a step with a state for each key. */
export interface StatefulOptions extends StepOptions {
  /**
   * Maximum number of keys with a state, in each task. An event of a further key fails, and `onError` decides what
   * happens to it. A warning is logged once at four fifths of the bound. State from a store is restored whatever its
   * size. @default 1_000_000, less where the heap has no room for so many (`RunOptions.maxKeys`)
   */
  readonly maxKeys?: number;
  /**
   * Maximum size of one key's state, in bytes of JSON. If a key's state was larger when it was last stored, its next
   * event fails with a {@link KeyStateTooLargeError}, and `onError` decides what happens to it. Notifications and the end
   * are still processed, and may shrink the state or forget the key. If the states of all keys exceed the step's share of
   * `RunOptions.maxStateBytes`, events of new keys fail the same way, and events of keys with more than 1 KiB. Sizes are
   * measured only with a store. `Infinity` = no bound; a commit with a state above 256 MiB always fails. @default 1_048_576
   */
  readonly maxBytes?: number;
}

/** Default maximum number of keys of a step. */
const MAX_KEYS = 1_000_000;
/** Default maximum size of a key's state, bytes. */
const MAX_STATE_BYTES = 1_024 * 1_024;
/** When the run's bound on bytes is reached, keys whose state is no larger than this continue: a few numbers. */
const SMALL_BYTES = 1_024;
/** The part of `maxKeys`, and of `maxStateBytes`, from which on a warning is logged. */
const NEARLY = 0.8;

const GROUP = "keys";
/** Keys called back at once, so that a million of them do not block the event loop. */
const PAGE_KEYS = 2_000;

/** Runs a {@link KeyedLogic}: keeps each key's state, wakes for notifications, recovers. */
export class StatefulOperator<V, S, Out> implements Operator<V, Out> {
  readonly gauges = ["keys"];
  readonly #context: StepContext;
  readonly #logic: KeyedLogic<V, S, Out>;
  readonly #cells = new Map<string, Cell<S>>();
  readonly #alarms = new DueHeap<Cell<S>>();
  #changed: Set<string> | undefined;
  #order = 0;
  /** `lastBytes` of all keys. */
  #bytes = 0;
  /** How to continue a call with more than one page of keys. */
  #rest: ((out: Emitter<Out>) => void) | undefined;
  readonly #errors: ErrorHandler;
  readonly #maxKeys: number;
  readonly #maxBytes: number;
  #warned = false;
  #warnedOfBytes = false;

  /** @throws FlowError */
  constructor(
    context: StepContext,
    logic: KeyedLogic<V, S, Out>,
    {
      onError,
      maxKeys = Math.min(MAX_KEYS, context.maxKeys),
      maxBytes = MAX_STATE_BYTES,
    }: StatefulOptions = {},
  ) {
    if (!(maxBytes >= 1))
      throw new FlowError(`step "${context.step}": maxBytes is ${String(maxBytes)}, but must be at least 1`);
    if (!(maxKeys >= 1))
      throw new FlowError(`step "${context.step}": maxKeys is ${String(maxKeys)}, but must be at least 1`);
    this.#maxKeys = maxKeys;
    this.#maxBytes = maxBytes;
    this.#context = context;
    this.#logic = logic;
    this.#errors = new ErrorHandler(context, onError);
  }

  process(batch: Batch<V>, now: number, out: Emitter<Out>): void {
    const rows = new KeyedRows<Out>(batch.times !== undefined);
    for (const [row, value] of batch.events.entries()) {
      const key = batch.keys?.[row] ?? "";
      const cell = this.#cells.get(key);
      if (cell !== undefined && cell.bytes > this.#maxBytes) {
        this.#errors.giveUp(this.#tooLarge(cell), value);
        continue;
      }
      if (
        this.#bytes >= this.#context.maxStateBytes &&
        (cell === undefined || cell.lastBytes > SMALL_BYTES)
      ) {
        this.#errors.giveUp(this.#allTooLarge(), value);
        continue;
      }
      const made = this.#errors.attempt(() => {
        const state = cell === undefined ? this.#logic.create() : cell.state;
        return taken(this.#logic.onEvent(state, value, { key, now }));
      }, value);
      if (made === undefined) continue;
      if (cell === undefined && made.state !== undefined && !this.#hasRoom()) {
        this.#errors.giveUp(this.#full(), value);
        continue;
      }
      this.#apply(key, cell, made);
      for (const each of made.out) rows.push(each, key, batch.times?.[row] ?? NaN);
    }
    rows.emit(out);
  }

  advance(now: number, _drainedAt: number | undefined, out: Emitter<Out>): void {
    const logic = this.#logic;
    const next = (): Cell<S> | undefined => {
      const cell = this.#alarms.peek();
      if (cell === undefined || cell.due > now) return undefined;
      this.#alarms.remove(cell);
      return cell;
    };
    this.#page(now, out, next, (state, context) => logic.onNotify?.(state, context) ?? { state });
  }

  finish(_cause: "end" | "drain", now: number, out: Emitter<Out>): void {
    const logic = this.#logic;
    if (logic.onEnd === undefined) return;
    const cells = this.#cells.values();
    const next = (): Cell<S> | undefined => {
      const { done, value } = cells.next();
      return done === true ? undefined : value;
    };
    this.#page(now, out, next, (state, context) => logic.onEnd?.(state, context) ?? { state });
  }

  /** A call with several pages of keys is not finished. */
  get pending(): boolean {
    return this.#rest !== undefined;
  }

  nextPage(out: Emitter<Out>): void {
    this.#rest?.(out);
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
        throw new StateError(
          `${this.#where}: the stored state has an unknown group ${JSON.stringify(group)}`,
        );
      for (const [key, value] of fields) this.#restore(key, value);
    }
    this.#changed = new Set();
  }

  stats(): Readonly<Record<string, number>> {
    const { skipped } = this.#errors;
    return { keys: this.#cells.size, ...(skipped === 0 ? {} : { skipped }) };
  }

  get #where(): string {
    return `step "${this.#context.step}", partition "${this.#context.part}"`;
  }

  /** Whether there is room for one more key; logs a warning before it is full. */
  #hasRoom(): boolean {
    const keys = this.#cells.size;
    if (keys >= this.#maxKeys) return false;
    if (!this.#warned && keys + 1 >= NEARLY * this.#maxKeys) {
      this.#warned = true;
      const { step, part, logger } = this.#context;
      logger.warn(
        { event: "keys-nearly-full", step, part, keys: keys + 1, maxKeys: this.#maxKeys },
        `${this.#where}: ${keys + 1} keys have a state, of at most ${this.#maxKeys} (maxKeys). Let keys be forgotten ` +
          "(a state of undefined), or raise maxKeys and the heap limit (--max-old-space-size).",
      );
    }
    return true;
  }

  #full(): Error {
    return new Error(
      `${this.#maxKeys} keys have a state, which is the maximum (maxKeys). Let keys be forgotten (a state of undefined), ` +
        "or raise maxKeys and the heap limit (--max-old-space-size)",
    );
  }

  #tooLarge({ key, bytes }: Cell<S>): Error {
    const { step, part } = this.#context;
    return new KeyStateTooLargeError(
      step,
      part,
      { key, bytes, maxBytes: this.#maxBytes },
      "Keep less of each event, let the key be forgotten (a state of undefined), or raise the step's maxBytes",
    );
  }

  #warnOfBytes(): void {
    if (this.#warnedOfBytes) return;
    this.#warnedOfBytes = true;
    const { step, part, logger, maxStateBytes } = this.#context;
    logger.warn(
      { event: "state-nearly-full", step, part, bytes: this.#bytes, maxStateBytes },
      `${this.#where}: the states of all keys have ${this.#bytes} bytes of JSON, and ${maxStateBytes} is the step's share of ` +
        "maxStateBytes. Keep less of each event, let keys be forgotten (a state of undefined), or raise maxStateBytes and " +
        "the heap limit (--max-old-space-size).",
    );
  }

  #allTooLarge(): Error {
    return new Error(
      `the states of all keys have ${this.#bytes} bytes of JSON, and the step's share of the run's maxStateBytes is ` +
        `${this.#context.maxStateBytes}. Keep less of each event, let keys be forgotten (a state of undefined), or raise ` +
        "maxStateBytes and the heap limit (--max-old-space-size)",
    );
  }

  #tooLargeToKeep({ key, bytes }: Cell<S>): Error {
    const { step, part } = this.#context;
    return new KeyStateTooLargeError(
      step,
      part,
      { key, bytes, maxBytes: MAX_KEPT_BYTES },
      "It is too large for one value of a store, and was not written. Give the step a smaller maxBytes, or commit more often",
    );
  }

  #apply(key: string, cell: Cell<S> | undefined, step: KeyedStep<S, Out>): void {
    this.#changed?.add(key);
    if (step.state === undefined) {
      if (cell !== undefined) {
        if (cell.slot >= 0) this.#alarms.remove(cell);
        this.#measured(cell, 0);
      }
      this.#cells.delete(key);
      return;
    }
    const kept = cell ?? this.#newCell(key, step.state);
    kept.state = step.state;
    kept.bytes = 0;
    this.#schedule(kept, step.notifyAt);
  }

  #newCell(key: string, state: S): Cell<S> {
    const cell = { key, order: this.#order++, state, due: Infinity, slot: -1, bytes: 0, lastBytes: 0 };
    this.#cells.set(key, cell);
    return cell;
  }

  #measured(cell: Cell<S>, bytes: number): void {
    this.#bytes += bytes - cell.lastBytes;
    cell.bytes = bytes;
    cell.lastBytes = bytes;
    if (this.#bytes >= NEARLY * this.#context.maxStateBytes) this.#warnOfBytes();
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

  /** Processes keys from `next`, a page at a time. */
  #page(
    now: number,
    out: Emitter<Out>,
    next: () => Cell<S> | undefined,
    call: (state: S, context: KeyContext) => KeyedStep<S, Out>,
  ): void {
    const rows = new KeyedRows<Out>(false);
    this.#rest = undefined;
    for (let cell = next(), count = 1; cell !== undefined; cell = next(), count++) {
      this.#callBack(cell, now, call, rows);
      if (count < PAGE_KEYS) continue;
      this.#rest = (later) => {
        this.#page(now, later, next, call);
      };
      break;
    }
    rows.emit(out);
  }

  #callBack(
    cell: Cell<S>,
    now: number,
    call: (state: S, context: KeyContext) => KeyedStep<S, Out>,
    rows: KeyedRows<Out>,
  ): void {
    const { key, state } = cell;
    const made = this.#errors.attempt(
      () => taken(call(state, { key, now })),
      { key, state },
      "key and its state",
    );
    if (made === undefined) {
      // Its state stays, its notification does not.
      this.#changed?.add(key);
      return;
    }
    // A notification requested for now runs after what is due now, or the loop would never end.
    const notifyAt = made.notifyAt === undefined ? undefined : Math.max(made.notifyAt, now + 1);
    this.#apply(key, cell, { state: made.state, notifyAt });
    for (const each of made.out) rows.push(each, key, NaN);
  }

  #toJson(cell: Cell<S>): Json {
    const state = stateToJson(cell.state, this.#logic.codec, this.#where);
    this.#measured(cell, jsonBytes(state));
    if (cell.bytes > MAX_KEPT_BYTES) throw this.#tooLargeToKeep(cell);
    return cell.slot < 0 ? { state } : { state, notifyAt: cell.due };
  }

  #restore(key: string, value: Json): void {
    const step = this.#fromJson(value);
    this.#apply(key, undefined, step);
    const cell = this.#cells.get(key);
    const { state } = asRecord(value, this.#where);
    if (cell !== undefined) this.#measured(cell, jsonBytes(state));
  }

  #fromJson(value: Json): KeyedStep<S, Out> {
    const { state, notifyAt } = asRecord(value, this.#where);
    if (state === undefined || (notifyAt !== undefined && typeof notifyAt !== "number")) {
      throw new StateError(`${this.#where}: the stored state is damaged: ${excerpt(value)}`);
    }
    const { codec } = this.#logic;
    // Without a codec the state is JSON itself, as snapshot() checked.
    return { state: codec === undefined ? (state as S) : codec.restore(state), notifyAt };
  }
}

/** Reads all rows that a call returned, so that an error of its generator belongs to the call. */
function taken<S, Out>({ state, out = NO_ROWS, notifyAt }: KeyedStep<S, Out>): Made<S, Out> {
  if (Number.isNaN(notifyAt))
    throw new TypeError("notifyAt is NaN; give a time in ms, or undefined for none");
  return { state, out: isList(out) ? out : [...out], notifyAt: notifyAt === Infinity ? undefined : notifyAt };
}

const NO_ROWS: readonly never[] = [];

function isList<T>(rows: Iterable<T>): rows is readonly T[] {
  return Array.isArray(rows);
}

/** Rows with their keys, collected during one call. */
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

/** Whether a round trip through JSON returns an equal value. */
