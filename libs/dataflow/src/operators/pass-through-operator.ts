import type { Batch, Emitter, Operator } from "../contracts/operator.ts";

/** Emits batches unchanged: a merge is several edges into one of these. */
export class PassThroughOperator<T> implements Operator<T, T> {
  process(batch: Batch<T>, _now: number, out: Emitter<T>): void {
    out.emit(batch);
  }
}
