import { FixedWindower } from "./fixed-windower.ts";
import { requireMs } from "./require-ms.ts";

/** Length and origin of tumbling windows. */
export interface TumblingWindowerOptions {
  /** Length of each window in ms: a whole number, at least 1. */
  readonly lengthMs: number;
  /** Any instant (ms since the epoch) at which window 0 opens. @default 0 */
  readonly alignToMs?: number;
}

/** Windows side by side: each event is in exactly one. @throws WindowSpecError */
export class TumblingWindower extends FixedWindower {
  readonly kind = "tumbling";

  constructor({ lengthMs, alignToMs = 0 }: TumblingWindowerOptions) {
    requireMs(lengthMs, "lengthMs", 1);
    requireMs(alignToMs, "alignToMs", Number.MIN_SAFE_INTEGER);
    super(lengthMs, lengthMs, alignToMs);
  }
}
