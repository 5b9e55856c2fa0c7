import type { Drained } from "../contracts/source.ts";

/** While events come, nobody asks for a proof that there are none: only when there were none for so long (ms). */
const PAUSE_MS = 50;

/** Tells for how long a partition has been connected and drained without a break. */
export class IdleWatch {
  readonly #idleMs: number;
  #since: Drained | undefined;
  #idle = false;
  /** When events last came, ms. */
  #eventsAt = Number.NEGATIVE_INFINITY;

  /** @param idleMs how long counts as idle; `Infinity`: never */
  constructor(idleMs: number) {
    this.#idleMs = idleMs;
  }

  /** Events came: idleness starts anew. */
  events(now: number): void {
    this.#eventsAt = now;
    this.#since = undefined;
    this.#idle = false;
  }

  /** A proof that nothing was left. One over another connection proves nothing about the time before it. */
  drained(proof: Drained): void {
    if (this.#since?.connection !== proof.connection) this.#since = proof;
    this.#idle = proof.at - this.#since.at >= this.#idleMs;
  }

  get idle(): boolean {
    return this.#idle;
  }

  /** When the next proof is wanted; `undefined`: never. */
  get nextProbe(): number | undefined {
    if (this.#idleMs === Infinity || this.#idle) return undefined;
    return this.#since === undefined ? this.#eventsAt + PAUSE_MS : this.#since.at + this.#idleMs;
  }
}
