import type { Drained } from "../contracts/source.ts";
import type { TimeProvider } from "../contracts/time-provider.ts";

/**
 * Reads one item at a time from something in this process, ahead of the caller if necessary. So it can prove that
 * nothing is left: a local source has nothing in-flight while a read of it waits.
 */
export class LocalReader<T> {
  readonly #read: () => Promise<T>;
  readonly #time: TimeProvider;
  #state:
    | { readonly kind: "idle" | "reading" }
    | { readonly kind: "read"; readonly value: T }
    | { readonly kind: "failed"; readonly error: unknown } = { kind: "idle" };
  #waiting: { resolve(value: T | undefined): void; reject(error: unknown): void } | undefined;
  #settled = 0;
  #closed = false;

  constructor(read: () => Promise<T>, time: TimeProvider) {
    this.#read = read;
    this.#time = time;
  }

  /** The next item; `undefined` once the reader is closed. One call at a time. */
  next(): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#begin();
      this.#give();
    });
  }

  /** The proof that no item had come by the time of the call; `undefined` if one had, or has come since. */
  async drained(): Promise<Drained | undefined> {
    const at = this.#time.now();
    const before = this.#settled;
    this.#begin();
    // This turn of the event loop may not check files and sockets any more; the next one starts with them.
    await this.#time.yield();
    await this.#time.yield();
    const nothing = this.#settled === before && this.#state.kind === "reading" && !this.#closed;
    return nothing ? { at, connection: 1 } : undefined;
  }

  /** Ends a waiting call. The item that is being read is dropped. */
  close(): void {
    this.#closed = true;
    this.#give();
  }

  #begin(): void {
    if (this.#state.kind !== "idle" || this.#closed) return;
    this.#state = { kind: "reading" };
    this.#read().then(
      (value) => {
        this.#settle({ kind: "read", value });
      },
      (error: unknown) => {
        this.#settle({ kind: "failed", error });
      },
    );
  }

  #settle(
    outcome:
      | { readonly kind: "read"; readonly value: T }
      | { readonly kind: "failed"; readonly error: unknown },
  ): void {
    this.#settled += 1;
    this.#state = outcome;
    this.#give();
  }

  #give(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    const state = this.#state;
    if (this.#closed) waiting.resolve(undefined);
    else if (state.kind === "read") waiting.resolve(state.value);
    else if (state.kind === "failed") waiting.reject(state.error);
    else return;
    this.#waiting = undefined;
    if (!this.#closed) this.#state = { kind: "idle" };
  }
}
