import type { Batch, Emitter, Operator } from "../contracts/operator.ts";

/** Hands batches on as they are: a merge is several edges into one of these. */
export class PassThroughOperator<T> implements Operator<T, T> {
  process(batch: Batch<T>, _now: number, out: Emitter<T>): void {
    out.emit(batch);
  }
}
