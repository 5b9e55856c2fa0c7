import type { Logger } from "../contracts/logger.ts";
import type { RunObserver, Timed } from "../contracts/observer.ts";
import type { TimeProvider } from "../contracts/time-provider.ts";
import { messageOf } from "../errors.ts";

/** What each method of an observer gets. */
type Reports = { readonly [M in keyof RunObserver]-?: Parameters<NonNullable<RunObserver[M]>>[0] };

type Method = keyof Reports;

/** An observer, method by method. */
type Methods = { readonly [M in Method]?: (report: Reports[M]) => unknown };

/** The observers of a run. A method that throws, or whose promise is rejected, is logged once and not called again. */
export class Observers {
  readonly #observers: readonly { readonly methods: Methods; readonly failed: Set<Method> }[];
  readonly #logger: Logger;

  constructor(observers: readonly RunObserver[], logger: Logger) {
    this.#observers = observers.map((methods) => ({ methods, failed: new Set() }));
    this.#logger = logger;
  }

  /** Whether an observer has this method: nothing is measured for the others. */
  want(method: Method): boolean {
    return this.#observers.some(({ methods }) => methods[method] !== undefined);
  }

  /** Never throws. */
  report<M extends Method>(method: M, report: Reports[M]): void {
    for (const { methods, failed } of this.#observers) {
      if (failed.has(method)) continue;
      const fail = (error: unknown): void => {
        if (!failed.has(method)) this.#logFailure(method, error);
        failed.add(method);
      };
      try {
        const done = methods[method]?.(report);
        // The type allows an async function, whose rejection would end the process.
        if (done instanceof Promise) done.catch(fail);
      } catch (error) {
        fail(error);
      }
    }
  }

  #logFailure(method: Method, error: unknown): void {
    this.#logger.warn(
      { event: "observer-failed", method },
      `an observer's ${method}() failed: ${messageOf(error)}; it is not called again, and the run continues`,
    );
  }
}

/** Begins to measure; the returned function has the result. */
export function startTimer(time: TimeProvider): () => Omit<Timed, "part"> {
  const startedAt = time.now();
  const began = time.monotonic();
  return () => ({ startedAt, durationMs: time.monotonic() - began });
}
