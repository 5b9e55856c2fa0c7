import type { Batch, Emitter } from "../contracts/operator.ts";

/** A step with asynchronous work. The task awaits it between batches, so nothing is in-flight at a commit. */
export interface AsyncOperator<In, Out> {
  run(batch: Batch<In>, out: Emitter<Out>): Promise<void>;
  stats?(): Readonly<Record<string, number>>;
}
