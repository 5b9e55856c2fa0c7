import type { Drained, SourceBatch, SourcePartition } from "../contracts/source.ts";
import type { Signal } from "./signal.ts";

/** One call of a partition that is under way, and how it ended. */
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
    call().then(
      (value) => {
        this.#state = { kind: "done", value };
        signal.notify();
      },
      (error: unknown) => {
        this.#state = { kind: "failed", error };
        signal.notify();
      },
    );
  }

  /** The outcome, once; `undefined` while there is none. */
  take(): { readonly value: T } | undefined {
    const state = this.#state;
    if (state.kind === "failed") throw state.error;
    if (state.kind !== "done") return undefined;
    this.#state = { kind: "idle" };
    return { value: state.value };
  }
}

/** A task's side of its source partition: one `nextBatch` and one probe at a time, both without blocking the task. */
export class Intake {
  readonly #partition: SourcePartition<unknown>;
  readonly #signal: Signal;
  readonly #batch = new Pending<SourceBatch<unknown>>();
  readonly #probe = new Pending<Drained | undefined>();

  constructor(partition: SourcePartition<unknown>, signal: Signal) {
    this.#partition = partition;
    this.#signal = signal;
  }

  /** Asks for the next batch unless that is under way. */
  request(): void {
    if (this.#batch.idle) this.#batch.start(() => this.#partition.nextBatch(), this.#signal);
  }

  takeBatch(): SourceBatch<unknown> | undefined {
    return this.#batch.take()?.value;
  }

  /** Whether the partition can prove that nothing is left to read. */
  get canProbe(): boolean {
    return this.#partition.drained !== undefined;
  }

  /** Sends a probe unless one is under way. */
  probe(): void {
    if (this.#probe.idle) this.#probe.start(async () => this.#partition.drained?.(), this.#signal);
  }

  /** A probe's answer: `{ value: undefined }` if something came before it. */
  takeProof(): { readonly value: Drained | undefined } | undefined {
    return this.#probe.take();
  }
}
