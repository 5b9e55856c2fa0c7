import type { Writable } from "node:stream";
import type { PartContext } from "../contracts/source.ts";
import type { Sink, SinkPartition } from "../contracts/sink.ts";
import { SinkError, messageOf } from "../errors.ts";
import { toLine } from "./to-line.ts";

/**
 * Rows as lines of text on a stream that is not ours to close, such as standard output: strings and bytes as they
 * are, anything else as JSON. At least once: what was written before a crash is written again.
 */
export class WritableSink<T> implements Sink<T> {
  readonly #writable: Writable;

  constructor(writable: Writable) {
    this.#writable = writable;
  }

  buildPart(_part: string, _resume: unknown, context: PartContext): Promise<SinkPartition<T>> {
    return Promise.resolve(new WritablePartition<T>(this.#writable, context));
  }
}

/** Standard output. */
export class StdoutSink<T> extends WritableSink<T> {
  constructor() {
    super(process.stdout);
  }
}

/** Standard error. */
export class StderrSink<T> extends WritableSink<T> {
  constructor() {
    super(process.stderr);
  }
}

class WritablePartition<T> implements SinkPartition<T> {
  readonly #writable: Writable;
  readonly #context: PartContext;
  #failure: Error | undefined;
  readonly #fail = (error: Error): void => {
    this.#failure = error;
  };

  constructor(writable: Writable, context: PartContext) {
    this.#writable = writable;
    this.#context = context;
    // Without a listener an error that comes after a write would end the process.
    writable.on("error", this.#fail);
  }

  async writeBatch(rows: readonly T[]): Promise<void> {
    try {
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#writable.destroyed) throw new Error("the stream is closed");
      if (!this.#write(rows)) await drained(this.#writable);
    } catch (error) {
      throw new SinkError(`step "${this.#context.step}": cannot write: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.#writable.off("error", this.#fail);
    return Promise.resolve();
  }

  #write(rows: readonly T[]): boolean {
    const lines = rows.map(toLine);
    if (lines.every((line) => typeof line === "string")) return this.#writable.write(`${lines.join("\n")}\n`);
    const newline = Buffer.from("\n");
    return this.#writable.write(Buffer.concat(lines.flatMap((line) => [Buffer.from(line), newline])));
  }
}

/** Resolves when the stream takes more; rejects when it never will. */
function drained(writable: Writable): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      writable.off("drain", settle).off("close", settle).off("error", settle);
      if (writable.destroyed) reject(writable.errored ?? new Error("the stream was closed"));
      else resolve();
    };
    writable.on("drain", settle).on("close", settle).on("error", settle);
  });
}
