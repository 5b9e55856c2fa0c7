import type { Drained } from "../contracts/source.ts";

/** Tells when a partition has been connected and drained for long enough to count as ended. */
export class IdleWatch {
  readonly #idleMs: number;
  #armed: boolean;
  #since: Drained | undefined;
  #idle = false;

  /** @param armed the task resumed, so the first event need not be waited for */
  constructor(idleMs: number, armed: boolean) {
    this.#idleMs = idleMs;
    this.#armed = armed;
  }

  /** Events came: idleness starts anew. */
  events(): void {
    this.#armed = true;
    this.#since = undefined;
    this.#idle = false;
  }

  /** A proof that nothing was left. One over another connection proves nothing about the time before it. */
  drained(proof: Drained): void {
    if (!this.#armed) return;
    if (this.#since?.connection !== proof.connection) this.#since = proof;
    this.#idle = proof.at - this.#since.at >= this.#idleMs;
  }

  get idle(): boolean {
    return this.#idle;
  }

  /** When the next proof is wanted; `undefined`: never. `-Infinity`: at once. */
  get nextProbe(): number | undefined {
    if (!this.#armed || this.#idleMs === Infinity || this.#idle) return undefined;
    return this.#since === undefined ? -Infinity : this.#since.at + this.#idleMs;
  }
}
