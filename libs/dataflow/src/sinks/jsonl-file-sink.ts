import { constants } from "node:fs";
import { access, open, stat } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import type { Json } from "@millrace/windowing";
import type { PartContext } from "../contracts/source.ts";
import type { Sink, SinkPartition } from "../contracts/sink.ts";
import { SinkError, StateError, messageOf } from "../errors.ts";
import { toLine } from "./writable-sink.ts";

/**
 * Appends rows as lines to a file. Its length is part of the commit: a resumed task truncates what was written after
 * it, so each row is there exactly once after a crash (but not against a second owner that still writes).
 *
 * `{part}` in the path stands for the partition. A flow with several partitions needs it, since each task truncates
 * its own file.
 */
export class JsonlFileSink<T> implements Sink<T> {
  readonly local = true;
  readonly #path: string;
  readonly #open = new Set<string>();

  constructor(path: string) {
    this.#path = path;
  }

  /** @throws StateError for a file shorter than its committed length, an error of the file system for one that cannot be written */
  async checkResume(part: string, resume: Json | undefined): Promise<void> {
    const path = this.#pathOf(part);
    const size = await writableSize(path);
    if (resume !== undefined) requireLength(path, size, resume);
  }

  /** @throws SinkError for a file that cannot be opened, StateError for one shorter than its committed length */
  async buildPart(part: string, resume: Json | undefined, context: PartContext): Promise<SinkPartition<T>> {
    const path = this.#pathOf(part);
    if (this.#open.has(path)) {
      throw new SinkError(
        `step "${context.step}": two partitions would write ${path}; put {part} into the path, so that each has its own file`,
      );
    }
    this.#open.add(path);
    try {
      const file = await open(path, "a");
      try {
        if (resume !== undefined) await cutBack(file, path, resume);
      } catch (error) {
        await file.close();
        throw error;
      }
      return new FileSinkPartition<T>(file, path, context, () => this.#open.delete(path));
    } catch (error) {
      this.#open.delete(path);
      if (error instanceof StateError) throw error;
      throw new SinkError(`step "${context.step}": cannot open ${path}: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  #pathOf(part: string): string {
    return this.#path.replaceAll("{part}", encodeURIComponent(part));
  }
}

async function cutBack(file: FileHandle, path: string, resume: Json): Promise<void> {
  const { size } = await file.stat();
  await file.truncate(requireLength(path, size, resume));
}

/** The committed length of a file. @throws StateError if the file is shorter */
function requireLength(path: string, size: number, committed: Json): number {
  if (typeof committed === "number" && size >= committed) return committed;
  throw new StateError(
    `${path} has ${size} bytes, but ${JSON.stringify(committed)} were committed: the file was changed or replaced; restore it, or reset the state`,
  );
}

/** Length of a writable file, 0 for one that can be created. It opens nothing: the reader of a pipe would notice. */
async function writableSize(path: string): Promise<number> {
  const stats = await stat(path).catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  if (stats?.isDirectory() === true) throw new Error(`${path} is a directory`);
  await access(stats === undefined ? dirname(path) : path, constants.W_OK);
  return stats?.size ?? 0;
}

function isMissing(error: unknown): boolean {
  return typeof error === "object" && error !== null && "code" in error && error.code === "ENOENT";
}

class FileSinkPartition<T> implements SinkPartition<T> {
  readonly #file: FileHandle;
  readonly #path: string;
  readonly #context: PartContext;
  readonly #onClose: () => void;

  constructor(file: FileHandle, path: string, context: PartContext, onClose: () => void) {
    this.#file = file;
    this.#onClose = onClose;
    this.#path = path;
    this.#context = context;
  }

  async writeBatch(rows: readonly T[]): Promise<void> {
    const newline = Buffer.from("\n");
    const bytes = Buffer.concat(rows.flatMap((row) => [Buffer.from(toLine(row)), newline]));
    await this.#attempt(() => this.#file.appendFile(bytes));
  }

  async snapshot(): Promise<Json> {
    return await this.#attempt(async () => {
      await this.#file.datasync();
      return (await this.#file.stat()).size;
    });
  }

  /** The operating system has every row once `writeBatch` has resolved. */
  flush(): Promise<void> {
    return Promise.resolve();
  }

  async close(): Promise<void> {
    this.#onClose();
    await this.#attempt(() => this.#file.close());
  }

  /** A full disk may be reported by a write, by a sync or by the close. */
  async #attempt<R>(use: () => Promise<R>): Promise<R> {
    try {
      return await use();
    } catch (error) {
      throw new SinkError(`step "${this.#context.step}": cannot write ${this.#path}: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }
}
