import { SYSTEM_TIME } from "@millrace/dataflow";
import type { Logger, PartContext, RawLine, TimeProvider } from "@millrace/dataflow";

/** One line of a log. */
export interface LogEntry {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly event: unknown;
  readonly fields: object;
  readonly message: string;
}

/** Keeps what is logged, and lets a test wait for it. */
export class RecordingLogger implements Logger {
  readonly entries: LogEntry[] = [];
  readonly #watchers = new Set<() => void>();

  debug(fields: object, message: string): void {
    this.#add("debug", fields, message);
  }

  info(fields: object, message: string): void {
    this.#add("info", fields, message);
  }

  warn(fields: object, message: string): void {
    this.#add("warn", fields, message);
  }

  error(fields: object, message: string): void {
    this.#add("error", fields, message);
  }

  of(event: string): readonly LogEntry[] {
    return this.entries.filter((entry) => entry.event === event);
  }

  /** Resolves when `event` has been logged. */
  logged(event: string): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.of(event).length === 0) return;
        this.#watchers.delete(look);
        resolve();
      };
      this.#watchers.add(look);
      look();
    });
  }

  #add(level: LogEntry["level"], fields: object, message: string): void {
    const event: unknown = "event" in fields ? fields.event : undefined;
    this.entries.push({ level, event, fields, message });
    for (const look of [...this.#watchers]) look();
  }
}

/** The context that a task gives a partition, with a recorded log. */
export interface TestContext extends PartContext {
  readonly logger: RecordingLogger;
  readonly rejected: { readonly payload: RawLine; readonly code: string }[];
}

export function partContext(flow = "test", time: TimeProvider = SYSTEM_TIME): TestContext {
  const rejected: TestContext["rejected"] = [];
  return {
    rejected,
    flow,
    step: "clicks",
    logger: new RecordingLogger(),
    time,
    signal: new AbortController().signal,
    reject(payload, { code }) {
      rejected.push({ payload, code });
    },
    fail: () => undefined,
  };
}
