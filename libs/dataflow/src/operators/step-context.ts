import type { DeadLetter } from "../contracts/decoder.ts";
import type { OperatorContext } from "../contracts/operator.ts";
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
