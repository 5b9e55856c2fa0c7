import { SYSTEM_TIME } from "@millrace/dataflow";
import type { PartContext, RawLine, TimeProvider } from "@millrace/dataflow";
import { RecordingLogger } from "./recording-logger.ts";

/** What a task tells a partition, with a log to look into. */
export interface TestContext extends PartContext {
  readonly logger: RecordingLogger;
  /** What was rejected, by the code of the reason. */
  readonly rejected: { readonly payload: RawLine; readonly code: string }[];
}

export function partContext(
  time: TimeProvider = SYSTEM_TIME,
  signal: AbortSignal = new AbortController().signal,
): TestContext {
  const rejected: TestContext["rejected"] = [];
  return {
    rejected,
    flow: "test",
    step: "clicks",
    logger: new RecordingLogger(),
    time,
    signal,
    reject(payload, { code }) {
      rejected.push({ payload, code });
    },
  };
}
