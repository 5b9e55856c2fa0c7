import type { Drained, SourceBatch, SourcePartition } from "../contracts/source.ts";
import { asSourceError } from "../errors.ts";

/** One call of a partition, and its outcome. */
class Pending<T> {
  #state:
    | { readonly kind: "idle" | "waiting" }
    | { readonly kind: "done"; readonly value: T }
    | { readonly kind: "failed"; readonly error: unknown } = { kind: "idle" };

  get idle(): boolean {
    return this.#state.kind === "idle";
  }

  start(call: () => Promise<T>, signal: Signal): void {
    this.#state = { kind: "waiting" };
    const failed = (error: unknown): void => {
      this.#state = { kind: "failed", error };
      signal.notify();
    };
    try {
      call().then((value) => {
        this.#state = { kind: "done", value };
        signal.notify();
      }, failed);
    } catch (error) {
      failed(error);
    }
  }

  /** Returns the outcome once; `undefined` if there is none. */
  take(): { readonly value: T } | undefined {
    const state = this.#state;
    if (state.kind === "failed") throw state.error;
    if (state.kind !== "done") return undefined;
    this.#state = { kind: "idle" };
    return { value: state.value };
  }
}

/** The result of a probe. */
export type ProbeAnswer =
  /** `askedAt`: when the proof was requested, monotonic, ms. */
  | { readonly kind: "drained"; readonly proof: Drained; readonly askedAt: number }
  /** Events wait to be read: another probe is useful only after that. */
  | { readonly kind: "not-drained" }
  /** Events were waiting, and have been read since. */
  | { readonly kind: "outdated" };

/** A task's side of its source partition: one `nextBatch` and one probe at a time, neither of which blocks the task. */
export class Intake {
  readonly #partition: SourcePartition<unknown>;
  readonly #step: string;
  readonly #part: string;
  readonly #signal: Signal;
  readonly #batch = new Pending<SourceBatch<unknown>>();
  readonly #probe = new Pending<Drained | undefined>();
  #readSinceProbe = false;
  #probedAt = Number.NEGATIVE_INFINITY;

  constructor(partition: SourcePartition<unknown>, step: string, part: string, signal: Signal) {
    this.#partition = partition;
    this.#step = step;
    this.#part = part;
    this.#signal = signal;
  }

  /** Requests the next batch, unless a request is outstanding. */
  request(): void {
    if (this.#batch.idle) this.#batch.start(() => this.#partition.nextBatch(), this.#signal);
  }

  takeBatch(): SourceBatch<unknown> | undefined {
    const batch = this.#take(this.#batch)?.value;
    if (batch !== undefined) this.#readSinceProbe = true;
    return batch;
  }

  /** Whether the partition can prove that nothing is left to read. */
  get canProbe(): boolean {
    return this.#partition.drained !== undefined;
  }

  /** Sends a probe, unless one is outstanding. @param now monotonic, ms */
  probe(now: number): void {
    if (!this.#probe.idle) return;
    this.#readSinceProbe = false;
    this.#probedAt = now;
    this.#probe.start(async () => this.#partition.drained?.(), this.#signal);
  }

  /** Returns a probe's result once. */
  takeAnswer(): ProbeAnswer | undefined {
    const answer = this.#take(this.#probe);
    if (answer === undefined) return undefined;
    if (answer.value !== undefined) return { kind: "drained", proof: answer.value, askedAt: this.#probedAt };
    return { kind: this.#readSinceProbe ? "outdated" : "not-drained" };
  }

  /** @throws SourceError if the call failed */
  #take<T>(pending: Pending<T>): { readonly value: T } | undefined {
    try {
      return pending.take();
    } catch (error) {
      throw asSourceError(error, this.#step, this.#part);
    }
  }
}

/** Lets one task wait for a notification; one that comes before the wait is not lost. */
export class Signal {
  #raised = false;
  #waiting: (() => void) | undefined;

  readonly notify = (): void => {
    this.#raised = true;
    this.#waiting?.();
  };

  async wait(): Promise<void> {
    if (!this.#raised) await new Promise<void>((resolve) => (this.#waiting = resolve));
    this.#raised = false;
    this.#waiting = undefined;
  }
}
