import { setMaxListeners } from "node:events";
import type { Batch, Emitter } from "../contracts/operator.ts";
import { toMs } from "@millrace/windowing";
import type { Duration } from "@millrace/windowing";
import { FlowError } from "../errors.ts";
import type { AsyncOperator, StepContext } from "./step-context.ts";
import { ErrorHandler } from "./error-policy.ts";
import { withDefaults } from "../with-defaults.ts";

/** How `mapAsync` calls its function. */
export interface MapAsyncOptions {
  /** Maximum number of calls in-flight. @default 16 */
  readonly concurrency?: number;
  /** A call that takes longer counts as failed. @default "30s" */
  readonly timeout?: Duration;
  /** Retries after a failed call. @default 0 */
  readonly retries?: number;
  /** Wait before the first retry; doubles each time. @default "100ms" */
  readonly backoff?: Duration;
  /** What happens to an event when its last retry failed. @default "fail" */
  readonly onError?: "fail" | "dead-letter";
}

export const DEFAULT_MAP_ASYNC_OPTIONS = {
  concurrency: 16,
  timeout: "30s",
  retries: 0,
  backoff: "100ms",
  onError: "fail",
} as const satisfies Required<MapAsyncOptions>;

/** The user's function; `signal` is aborted on a timeout of the call or when the task ends. */
export type AsyncFunction<V, R, K extends string | undefined = undefined> = (
  value: V,
  context: { readonly key: K; readonly signal: AbortSignal },
) => Promise<R>;

/** Calls an async function for every row of a batch, several at a time, and keeps the order of the rows. */
export class MapAsyncOperator<V, R, K extends string | undefined> implements AsyncOperator<V, R> {
  readonly #context: StepContext;
  readonly #fn: AsyncFunction<V, R, K>;
  readonly #keyed: boolean;
  readonly #options: Required<MapAsyncOptions>;
  readonly #timeoutMs: number;
  readonly #backoffMs: number;
  readonly #errors: ErrorHandler;

  /** @param keyed whether the events have keys */
  constructor(
    context: StepContext,
    fn: AsyncFunction<V, R, K>,
    keyed: boolean,
    options: MapAsyncOptions = {},
  ) {
    this.#context = context;
    this.#fn = fn;
    this.#keyed = keyed;
    this.#options = checked(
      context.step,
      withDefaults<Required<MapAsyncOptions>>(DEFAULT_MAP_ASYNC_OPTIONS, options),
    );
    this.#timeoutMs = toMs(this.#options.timeout);
    this.#backoffMs = toMs(this.#options.backoff);
    this.#errors = new ErrorHandler(context, this.#options.onError);
  }

  async run(batch: Batch<V>, out: Emitter<R>): Promise<void> {
    const made = new Map<number, R>();
    const rows = batch.events.entries();
    const failed = new AbortController();
    // Each lane listens to both signals; that many listeners are no leak.
    setMaxListeners(0, failed.signal, this.#context.signal);
    const lane = async (): Promise<void> => {
      for (const [row, event] of rows) {
        if (failed.signal.aborted) return;
        const result = await this.#call(event, this.#keyOf(batch, row), failed.signal);
        // An aborted task has not failed on its events.
        this.#context.signal.throwIfAborted();
        if (result.ok) made.set(row, result.value);
        else this.#errors.giveUp(result.error, event);
      }
    };
    const lanes = Array.from({ length: Math.min(this.#options.concurrency, batch.events.length) }, lane);
    try {
      await Promise.all(lanes);
    } catch (error) {
      failed.abort();
      await Promise.allSettled(lanes);
      throw error;
    }
    emitInOrder(batch, made, out);
  }

  stats(): Readonly<Record<string, number>> {
    return this.#errors.skipped === 0 ? {} : { skipped: this.#errors.skipped };
  }

  /** `dropKey` leaves keys in the batches. The compiler cannot check that a stream's type and its batches agree. */
  #keyOf(batch: Batch<V>, row: number): K {
    return (this.#keyed ? batch.keys?.[row] : undefined) as K;
  }

  async #call(
    event: V,
    key: K,
    failed: AbortSignal,
  ): Promise<{ readonly ok: true; readonly value: R } | { readonly ok: false; readonly error: unknown }> {
    let wait = this.#backoffMs;
    for (let attempt = 0; ; attempt++) {
      try {
        return { ok: true, value: await this.#attempt(event, key, failed) };
      } catch (error) {
        const over = attempt >= this.#options.retries || failed.aborted || this.#context.signal.aborted;
        if (over) return { ok: false, error };
      }
      await this.#sleep(wait, failed);
      wait *= 2;
    }
  }

  async #attempt(event: V, key: K, failed: AbortSignal): Promise<R> {
    const timeoutMs = this.#timeoutMs;
    const { time, signal } = this.#context;
    const controller = new AbortController();
    const abort = (): void => {
      controller.abort(signal.reason);
    };
    const cancel = time.wakeAfter(timeoutMs, () => {
      controller.abort(new Error(`no answer within ${timeoutMs} ms`));
    });
    signal.addEventListener("abort", abort);
    failed.addEventListener("abort", abort);
    try {
      return await Promise.race([
        this.#fn(event, { key, signal: controller.signal }),
        rejection(controller.signal),
      ]);
    } finally {
      cancel();
      signal.removeEventListener("abort", abort);
      failed.removeEventListener("abort", abort);
    }
  }

  #sleep(ms: number, failed: AbortSignal): Promise<void> {
    const { time, signal } = this.#context;
    return new Promise((resolve) => {
      const wake = (): void => {
        cancel();
        signal.removeEventListener("abort", wake);
        failed.removeEventListener("abort", wake);
        resolve();
      };
      const cancel = time.wakeAfter(ms, wake);
      signal.addEventListener("abort", wake);
      failed.addEventListener("abort", wake);
    });
  }
}

function emitInOrder<V, R>(batch: Batch<V>, made: ReadonlyMap<number, R>, out: Emitter<R>): void {
  const column = <C>(values: readonly C[] | undefined): C[] | undefined =>
    values?.filter((_, row) => made.has(row));
  const events = [...made].sort(([a], [b]) => a - b).map(([, value]) => value);
  if (events.length > 0) out.emit({ events, keys: column(batch.keys), times: column(batch.times) });
}

function rejection(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener(
      "abort",
      () => {
        reject(signal.reason instanceof Error ? signal.reason : new Error("aborted"));
      },
      { once: true },
    );
  });
}

function checked(step: string, options: Required<MapAsyncOptions>): Required<MapAsyncOptions> {
  const { concurrency, timeout, retries, backoff } = options;
  const bad = (name: string, value: Duration, rule: string): FlowError =>
    new FlowError(`step "${step}": ${name} is ${value}, but must be ${rule}`);
  if (!Number.isInteger(concurrency) || concurrency < 1)
    throw bad("concurrency", concurrency, "a whole number from 1");
  if (!(toMs(timeout) > 0)) throw bad("timeout", timeout, "above 0");
  if (!Number.isInteger(retries) || retries < 0) throw bad("retries", retries, "a whole number from 0");
  if (!(toMs(backoff) >= 0)) throw bad("backoff", backoff, "0 or more");
  return options;
}
