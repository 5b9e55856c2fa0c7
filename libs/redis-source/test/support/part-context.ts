import { SYSTEM_TIME } from "@millrace/dataflow";
import type { PartContext, RawLine, TimeProvider } from "@millrace/dataflow";
import { RecordingLogger } from "./recording-logger.ts";

/** The context that a task gives a partition, with a recorded log. */
export interface TestContext extends PartContext {
  readonly logger: RecordingLogger;
  /** The codes of the reasons of rejected lines. */
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
    fail: () => undefined,
  };
}
