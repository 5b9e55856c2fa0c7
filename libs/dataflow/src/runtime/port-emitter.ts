import type { Batch, Emitter } from "../contracts/operator.ts";

/** The receiver of a port's batches. */
export interface Receiver {
  receive(batch: Batch<unknown>): void;
}

/** One output of a live step: passes each batch to every step after it, in the order of the graph. */
export class PortEmitter implements Emitter<unknown> {
  readonly #receivers: Receiver[] = [];
  /** Events emitted so far. */
  events = 0;

  connect(receiver: Receiver): void {
    this.#receivers.push(receiver);
  }

  emit(batch: Batch<unknown>): void {
    this.events += batch.events.length;
    for (const receiver of this.#receivers) receiver.receive(batch);
  }
}
