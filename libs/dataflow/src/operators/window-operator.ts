import type {
  Clock,
  HeldWindow,
  KeyedBatch,
  LateEvent,
  RefusedEvent,
  StateChange,
  StateGroup,
  WindowEngine,
  WindowOutput,
  WindowResult,
  WindowStats,
} from "@millrace/windowing";
import { AccumulatorTooLargeError, WindowEventError } from "@millrace/windowing";
import type { Batch, Emitter, Operator, Wake } from "../contracts/operator.ts";
import { KeyStateTooLargeError, SourceError, StepError, hasCode, messageOf } from "../errors.ts";
import { excerpt } from "../excerpt.ts";
import { ErrorHandler } from "./error-policy.ts";
import { beginningIn, withoutBeginning } from "./step-beginning.ts";
import { OverflowWatch, Refusals, SecondsWatch } from "./window-warnings.ts";
import type { StepContext } from "./step-context.ts";
import type { WholeWindows } from "./whole-windows.ts";

/** A window's result and its partition: with `keyBy(…, { perPartition: true })` a key has a result in each. */
export interface PartResult<R> extends WindowResult<R> {
  readonly part: string;
}

/** A windowing engine as a step: results, late events and refused events leave by separate ports. */
export class WindowOperator<V, R> implements Operator<V, PartResult<R>> {
  readonly gauges = ["watermark", "windows", "cells", "approximateBytes"];
  readonly #context: StepContext;
  readonly #engine: WindowEngine<V, R>;
  readonly #whole: WholeWindows;
  readonly #errors: ErrorHandler;
  /** The engine's counts from earlier runs. */
  #before: WindowStats;
  readonly #late: Emitter<LateEvent<V>>;
  readonly #refused: Emitter<RefusedEvent<V>>;
  readonly #refusals: Refusals;
  readonly #overflow: OverflowWatch;
  readonly #seconds: SecondsWatch<V>;

  /** @param clock `undefined` if the events are results of windows, whose times have no unit of their own */
  constructor(
    context: StepContext,
    engine: WindowEngine<V, R>,
    whole: WholeWindows,
    clock: Clock<V> | undefined,
    sides: { readonly late: Emitter<LateEvent<V>>; readonly refused: Emitter<RefusedEvent<V>> },
  ) {
    this.#context = context;
    this.#engine = engine;
    this.#whole = whole;
    this.#before = engine.stats();
    this.#errors = new ErrorHandler(context, "dead-letter");
    this.#late = sides.late;
    this.#refused = sides.refused;
    this.#refusals = new Refusals(context);
    this.#overflow = new OverflowWatch(context);
    this.#seconds = new SecondsWatch(context, clock);
  }

  process(batch: Batch<V>, now: number, out: Emitter<PartResult<R>>): void {
    const { events: values, keys, times } = batch;
    if (keys === undefined) {
      throw new StepError(
        this.#context.step,
        this.#context.part,
        "windows are kept for each key, and this stream has no keys; call keyBy(…) before",
      );
    }
    const keyed: KeyedBatch<V> = times === undefined ? { keys, values } : { keys, values, times };
    const { late, refused } = this.#route(() => this.#engine.process(keyed, now), out);
    this.#seconds.look(values, late, now);
    const [first] = refused;
    if (first === undefined) return;
    const { key, timestamp, reason, limit } = first;
    this.#refusals.add(refused.length, { key, timestamp, reason, limit });
  }

  advance(now: number, drainedAt: number | undefined, out: Emitter<PartResult<R>>): void {
    this.#route(() => this.#engine.advance(now), out);
    if (drainedAt !== undefined) this.#route(() => this.#engine.drained(drainedAt), out);
  }

  skipped(ms: number): void {
    this.#engine.skipped(ms);
  }

  finish(cause: "end" | "drain", _now: number, out: Emitter<PartResult<R>>): void {
    this.#route(() => this.#engine.finish(cause), out);
  }

  early(now: number, out: Emitter<PartResult<R>>): void {
    this.#route(() => this.#engine.early(now), out);
  }

  watermark(): number {
    return this.#engine.finalUpTo();
  }

  wholeFrom(readFrom: number): number {
    return this.#whole.resultsFrom(readFrom);
  }

  openWindows(limit: number): readonly HeldWindow[] {
    return this.#engine.openWindows(limit);
  }

  wakeFor(watermark: number): Wake | undefined {
    return this.#engine.wakeFor(watermark);
  }

  nextWake(now: number): Wake | undefined {
    return this.#engine.nextWake(now);
  }

  get pending(): boolean {
    return this.#engine.pending;
  }

  nextPage(out: Emitter<PartResult<R>>): void {
    this.#route(() => this.#engine.nextPage(), out);
  }

  snapshot(): readonly StateChange[] {
    try {
      return this.#engine.snapshot();
    } catch (error) {
      if (!(error instanceof AccumulatorTooLargeError)) throw error;
      const { step, part } = this.#context;
      const { key = "", bytes, maxBytes } = error.size;
      const remedy =
        "No store takes more as one value: nothing was written. Give the fold a smaller maxBytes, or commit more often";
      throw new KeyStateTooLargeError(step, part, { key, bytes, maxBytes }, remedy);
    }
  }

  restore(groups: Iterable<StateGroup>, now: number): void {
    const stored = [...groups];
    this.#whole.begin(beginningIn(stored, this.#context));
    this.#engine.restore(withoutBeginning(stored), now);
    this.#before = this.#engine.stats();
    this.#overflow.begin(this.#engine.overflow);
  }

  /** The engine's metrics. Its counts are those of this run alone, as for every other step. */
  stats(): Readonly<Record<string, number>> {
    const now = this.#engine.stats();
    const before = this.#before;
    return {
      ...now,
      counted: now.counted - before.counted,
      late: now.late - before.late,
      refused: now.refused - before.refused,
      skipped: now.skipped - before.skipped,
      overflowed: now.overflowed - before.overflowed,
      overflowedValues: now.overflowedValues - before.overflowedValues,
      revisions: now.revisions - before.revisions,
    };
  }

  #route(call: () => WindowOutput<V, R>, out: Emitter<PartResult<R>>): WindowOutput<V, R> {
    let made: WindowOutput<V, R>;
    try {
      made = call();
    } catch (error) {
      const { step, part } = this.#context;
      // It asks the source whether all events have arrived.
      if (hasCode(error, SourceError.code)) throw error;
      if (!(error instanceof WindowEventError)) throw new StepError(step, part, messageOf(error), error);
      throw new StepError(step, part, `${error.message} (event: ${excerpt(error.value)})`, error.cause);
    }
    this.#overflow.look(this.#engine.overflow);
    const { part } = this.#context;
    const whole = this.#whole.leavesOut
      ? made.results.filter(({ window }) => this.#whole.has(window))
      : made.results;
    send(
      whole.map((row) => ({ ...row, part })),
      out,
    );
    send(made.late, this.#late);
    send(made.refused, this.#refused);
    for (const { error, value } of made.skipped) this.#errors.giveUp(error, value);
    return made;
  }
}

function send<T extends { readonly key: string }>(events: readonly T[], out: Emitter<T>): void {
  if (events.length > 0) out.emit({ events, keys: events.map(({ key }) => key), times: undefined });
}
