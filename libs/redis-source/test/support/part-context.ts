import { SYSTEM_TIME } from "@millrace/dataflow";
import type { PartContext, TimeProvider } from "@millrace/dataflow";
import { RecordingLogger } from "./recording-logger.ts";

/** What a task tells a partition, with a log to look into. */
export interface TestContext extends PartContext {
  readonly logger: RecordingLogger;
}

export function partContext(
  time: TimeProvider = SYSTEM_TIME,
  signal: AbortSignal = new AbortController().signal,
): TestContext {
  return {
    step: "clicks",
    logger: new RecordingLogger(),
    time,
    signal,
    reject() {
      throw new Error("nothing is rejected here");
    },
  };
}
