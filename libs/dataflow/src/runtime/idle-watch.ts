import type { Drained } from "../contracts/source.ts";

/** Quiet time (ms) before the first idle probe. */
const PAUSE_MS = 50;

/** Measures for how long a partition has been connected and drained without a break. All times are monotonic, ms. */
export class IdleWatch {
  readonly #idleMs: number;
  /** The first proof since the last events or the last change of the connection. */
  #since: { readonly at: number; readonly connection: number } | undefined;
  #idle = false;
  /** When the last events came. */
  #eventsAt = Number.NEGATIVE_INFINITY;

  /** @param idleMs how long is idle; `Infinity`: never */
  constructor(idleMs: number) {
    this.#idleMs = idleMs;
  }

  /** Events came: idleness starts again. */
  events(now: number): void {
    this.#eventsAt = now;
    this.#since = undefined;
    this.#idle = false;
  }

  /**
   * A proof that nothing was left to read when it was requested. A proof over another connection says nothing about the
   * time before it.
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
