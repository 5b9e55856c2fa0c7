import type { DeadLetter } from "../contracts/decoder.ts";
import type { Batch, Emitter, OperatorContext } from "../contracts/operator.ts";
import type { TimeProvider } from "../contracts/time-provider.ts";

/** What a task passes to the operators of this library beyond the public context. */
export interface StepContext extends OperatorContext {
  readonly time: TimeProvider;
  /** Maximum number of keys of the step, unless its options set it. */
  readonly maxKeys: number;
  /** Bytes of the heap that its accumulators may take, unless its options set it. */
  readonly maxStateBytes: number;
  /** Aborted when the task must end at once. */
  readonly signal: AbortSignal;
  /** Hands a payload to the flow's dead letter, which is written with the next batch. */
  deadLetter(letter: DeadLetter): void;
}

/** A value that the construction of the graph guarantees; its absence is a bug in this library. */
export function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("a port that the graph declares was not wired");
  return value;
}

/** A step with asynchronous work. The task awaits it between batches, so nothing is in-flight at a commit. */
export interface AsyncOperator<In, Out> {
  run(batch: Batch<In>, out: Emitter<Out>): Promise<void>;
  stats?(): Readonly<Record<string, number>>;
}
