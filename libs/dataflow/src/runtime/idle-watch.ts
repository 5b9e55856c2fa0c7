import type { Drained } from "../contracts/source.ts";

/** While events come, nobody asks for a proof that there are none: only when there were none for so long (ms). */
const PAUSE_MS = 50;

/** Says for how long a partition has been connected and drained without a break. All times are monotonic, ms. */
export class IdleWatch {
  readonly #idleMs: number;
  /** The first proof since events came or the connection changed. */
  #since: { readonly at: number; readonly connection: number } | undefined;
  #idle = false;
  /** When events last came. */
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

  /**
   * A proof that nothing was left when it was asked for. One over another connection proves nothing about the time before
   * it.
   */
  drained({ connection }: Drained, askedAt: number, now: number): void {
    if (this.#since?.connection !== connection) this.#since = { at: now, connection };
    this.#idle = askedAt - this.#since.at >= this.#idleMs;
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
