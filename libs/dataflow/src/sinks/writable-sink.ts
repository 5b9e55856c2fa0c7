import type { Writable } from "node:stream";
import type { PartContext } from "../contracts/source.ts";
import type { Sink, SinkPartition } from "../contracts/sink.ts";
import { messageOf, SinkError } from "../errors.ts";

/**
 * Rows as lines of text on a stream that this sink does not own and never closes, such as standard output: strings and
 * bytes as they are, anything else as JSON. At least once: rows written before a crash are written again.
 */
export class WritableSink<T> implements Sink<T> {
  readonly #outlet: Outlet;

  constructor(writable: Writable) {
    this.#outlet = Outlet.of(writable);
  }

  buildPart(_part: string, _resume: unknown, context: PartContext): Promise<SinkPartition<T>> {
    return Promise.resolve(new WritablePartition<T>(this.#outlet, context));
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
  readonly #outlet: Outlet;
  readonly #context: PartContext;
  readonly #writer: Writer = { pending: 0 };
  #closed = false;

  constructor(outlet: Outlet, context: PartContext) {
    this.#outlet = outlet;
    this.#context = context;
    outlet.use();
  }

  async writeBatch(rows: readonly T[]): Promise<void> {
    await this.#attempt(() => this.#outlet.write(chunkOf(rows), this.#writer));
  }

  async flush(): Promise<void> {
    await this.#attempt(() => this.#outlet.written(this.#writer));
  }

  close(): Promise<void> {
    if (!this.#closed) this.#outlet.release();
    this.#closed = true;
    return Promise.resolve();
  }

  async #attempt(use: () => Promise<void>): Promise<void> {
    try {
      await use();
    } catch (error) {
      throw new SinkError(`step "${this.#context.step}": cannot write: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }
}

/** One partition's writer on a shared stream. */
interface Writer {
  /** Writes without a callback so far. */
  pending: number;
}

/**
 * One stream, shared by all partitions of all sinks on it: with one listener of each kind in total, since Node warns of
 * a leak at more than ten.
 */
class Outlet {
  static readonly #all = new WeakMap<Writable, Outlet>();

  readonly #writable: Writable;
  #users = 0;
  #failure: Error | undefined;
  readonly #waiting = new Set<() => void>();

  private constructor(writable: Writable) {
    this.#writable = writable;
  }

  static of(writable: Writable): Outlet {
    const outlet = this.#all.get(writable) ?? new Outlet(writable);
    this.#all.set(writable, outlet);
    return outlet;
  }

  use(): void {
    this.#users += 1;
    if (this.#users > 1) return;
    this.#failure = undefined;
    // Without a listener an error after a write would end the process.
    this.#writable.on("error", this.#fail).on("close", this.#wake).on("drain", this.#wake);
  }

  release(): void {
    this.#users -= 1;
    if (this.#users > 0) return;
    this.#writable.off("error", this.#fail).off("close", this.#wake).off("drain", this.#wake);
  }

  /** Resolves when the stream accepts more. */
  async write(chunk: string | Uint8Array, writer: Writer): Promise<void> {
    this.#check();
    writer.pending += 1;
    const takesMore = this.#writable.write(chunk, (error) => {
      writer.pending -= 1;
      if (error) this.#fail(error);
      else if (writer.pending === 0) this.#wake();
    });
    if (!takesMore) await this.#until(() => !this.#writable.writableNeedDrain);
  }

  /** Resolves when the operating system, or the destination of the stream, has all rows of the writer. */
  async written(writer: Writer): Promise<void> {
    await this.#until(() => writer.pending === 0);
  }

  async #until(reached: () => boolean): Promise<void> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      if (reached()) return;
      this.#check();
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#writable.destroyed) throw this.#writable.errored ?? new Error("the stream is closed");
  }

  readonly #fail = (error: Error): void => {
    this.#failure ??= error;
    this.#wake();
  };

  readonly #wake = (): void => {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resume of waiting) resume();
  };
}

function chunkOf(rows: readonly unknown[]): string | Uint8Array {
  const lines = rows.map(toLine);
  if (lines.every((line) => typeof line === "string")) return `${lines.join("\n")}\n`;
  const newline = Buffer.from("\n");
  return Buffer.concat(lines.flatMap((line) => [Buffer.from(line), newline]));
}

/** A row as one line, without a line break: strings and bytes as they are, anything else as JSON. */
export function toLine(row: unknown): string | Uint8Array {
  if (typeof row === "string" || row instanceof Uint8Array) return row;
  return JSON.stringify(row === undefined ? null : row);
}
