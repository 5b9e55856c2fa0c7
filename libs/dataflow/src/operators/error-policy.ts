import { StepError, messageOf } from "../errors.ts";
import { excerpt, wholeText } from "../excerpt.ts";
import type { StepContext } from "./step-context.ts";

/**
 * What happens to an event on which a user's function throws. In a stateful step it also applies to a notification and
 * to the end of a key: if they are given up, the key's state stays as it was.
 */
export type ErrorPolicy =
  /** The task ends with a {@link StepError}. The default, so that a bug is noticed. */
  | "fail"
  /** The event goes to the dead letter and the flow continues. */
  | "dead-letter"
  /** The function is called again, up to `retries` times; then `then` applies. */
  | { readonly retries: number; readonly then?: "fail" | "dead-letter" };

/** Options of a step that calls a user's function. */
export interface StepOptions {
  /** @default "fail" */
  readonly onError?: ErrorPolicy;
}

/** Applies a step's policy to one event that failed. */
export class ErrorHandler {
  readonly #context: StepContext;
  readonly #retries: number;
  readonly #last: "fail" | "dead-letter";
  #skipped = 0;

  constructor(context: StepContext, policy: ErrorPolicy = "fail") {
    this.#context = context;
    this.#retries = typeof policy === "string" ? 0 : policy.retries;
    this.#last = typeof policy === "string" ? policy : (policy.then ?? "fail");
  }

  /** Events given up so far. */
  get skipped(): number {
    return this.#skipped;
  }

  get retries(): number {
    return this.#retries;
  }

  /**
   * Calls a user's function, with the retries of the policy; `undefined` if it gave up.
   *
   * @throws StepError under the policy `fail`
   */
  attempt<T extends object>(call: () => T, event: unknown, what?: string): T | undefined {
    for (let attempt = 0; ; attempt++) {
      try {
        return call();
      } catch (error) {
        if (attempt < this.#retries) continue;
        this.giveUp(error, event, what);
        return undefined;
      }
    }
  }

  /**
   * @param what describes the payload
   * @throws StepError under the policy `fail`
   */
  giveUp(error: unknown, event: unknown, what = "event"): void {
    const { step, part } = this.#context;
    if (this.#last === "fail") {
      throw error instanceof StepError
        ? error
        : new StepError(step, part, `${messageOf(error)} (${what}: ${excerpt(event)})`, error);
    }
    this.#skipped += 1;
    this.#context.deadLetter({
      step,
      part,
      reason: { code: "step-failed", message: messageOf(error) },
      payload: wholeText(event),
    });
  }
}
