import { StateStore } from "../../conformance/state-store.ts";
import {
  createWindowEngine,
  type KeyedBatch,
  type LateEvent,
  type SkippedEvent,
  type WindowEngine,
  type WindowEngineOptions,
  type WindowOutput,
  type WindowResult,
} from "../../src/index.ts";

/** Drives an engine as a runtime does: page after page, with commits to a store and restarts from it. */
export class EngineDriver<V, A, R> {
  readonly results: WindowResult<R>[] = [];
  readonly late: LateEvent<V>[] = [];
  readonly skipped: SkippedEvent<V>[] = [];
  readonly store = new StateStore();
  engine: WindowEngine<V, R>;
  /** The latest system time. */
  now: number = Number.NEGATIVE_INFINITY;
  readonly #options: WindowEngineOptions<V, A, R>;
  /** What to do between two pages. */
  readonly #betweenPages: (driver: EngineDriver<V, A, R>) => void;

  constructor(
    options: WindowEngineOptions<V, A, R>,
    betweenPages: (driver: EngineDriver<V, A, R>) => void = () => undefined,
  ) {
    this.#options = options;
    this.#betweenPages = betweenPages;
    this.engine = createWindowEngine(options);
  }

  process(batch: KeyedBatch<V>, now: number): WindowResult<R>[] {
    this.now = Math.max(this.now, now);
    return this.#all(this.engine.process(batch, now));
  }

  advance(now: number): WindowResult<R>[] {
    this.now = Math.max(this.now, now);
    return this.#all(this.engine.advance(now));
  }

  drained(t: number): WindowResult<R>[] {
    this.now = Math.max(this.now, t);
    return this.#all(this.engine.drained(t));
  }

  early(now: number): WindowResult<R>[] {
    this.now = Math.max(this.now, now);
    return this.#all(this.engine.early(now));
  }

  finish(cause: "end" | "drain" = "end"): WindowResult<R>[] {
    return this.#all(this.engine.finish(cause));
  }

  commit(): void {
    this.store.apply(this.engine.snapshot());
  }

  /** Without an argument it takes no time. */
  restart(now: number = this.now): void {
    this.now = now;
    this.commit();
    this.crash(now);
  }

  /** Continues from the last commit. */
  crash(now: number): void {
    this.engine = createWindowEngine(this.#options);
    this.engine.restore(this.store.load(), now);
  }

  #all(first: WindowOutput<V, R>): WindowResult<R>[] {
    const rows: WindowResult<R>[] = [];
    let output = first;
    for (;;) {
      rows.push(...output.results);
      this.late.push(...output.late);
      this.skipped.push(...output.skipped);
      if (!this.engine.pending) break;
      this.#betweenPages(this);
      output = this.engine.nextPage();
    }
    this.results.push(...rows);
    return rows;
  }
}
