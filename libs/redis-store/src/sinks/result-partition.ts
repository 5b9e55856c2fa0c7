import type { Json, PartContext, SinkPartition, StoreOutput } from "@millrace/dataflow";
import { targetToJson } from "./result-target.ts";
import type { ResultTarget } from "./result-target.ts";

/** A row as a commit carries it, and what takes its place where it is too large. */
export interface EncodedRow {
  /** The row itself, as JSON. */
  readonly text: string;
  /** What goes into the commit. @param text the row or its replacement, as JSON */
  readonly toJson: (text: string) => Json;
  /** The row's window and key, where it has them. */
  readonly place: Readonly<Record<string, string>>;
}

/** The longest part of a key that a replacement names. */
const SHOWN_CHARS = 200;

/** Keeps rows until the commit that makes them visible takes them. */
export class ResultPartition<T> implements SinkPartition<T> {
  readonly #target: Json;
  readonly #encode: (row: T) => EncodedRow;
  readonly #maxRowBytes: number;
  readonly #context: PartContext;
  #rows: Json[] = [];
  #tooLarge = 0;
  /** How many of them the log has. */
  #logged = 0;

  /** @param maxRowBytes of one row as JSON; a larger one is replaced by a row that says so */
  constructor(
    target: ResultTarget,
    maxRowBytes: number,
    context: PartContext,
    encode: (row: T) => EncodedRow,
  ) {
    this.#target = targetToJson(target);
    this.#maxRowBytes = maxRowBytes;
    this.#context = context;
    this.#encode = encode;
  }

  writeBatch(rows: readonly T[]): Promise<void> {
    for (const row of rows) {
      const { text, toJson, place } = this.#encode(row);
      this.#rows.push(toJson(this.#isTooLarge(text) ? this.#replacement(text, place) : text));
    }
    return Promise.resolve();
  }

  takeOutputs(): readonly StoreOutput[] {
    if (this.#rows.length === 0) return [];
    const rows = this.#rows;
    this.#rows = [];
    return [{ step: this.#context.step, target: this.#target, rows }];
  }

  /** Rows leave with the commit. */
  flush(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.#rows = [];
    if (this.#tooLarge > this.#logged) this.#log({});
    return Promise.resolve();
  }

  /** No character takes more than three bytes, so most rows need no count. */
  #isTooLarge(text: string): boolean {
    return text.length * 3 > this.#maxRowBytes && Buffer.byteLength(text) > this.#maxRowBytes;
  }

  /** To fail would not help: the next run would come to the same row again. */
  #replacement(text: string, place: EncodedRow["place"]): string {
    this.#tooLarge += 1;
    const tooLarge = Buffer.byteLength(text);
    const shown: Record<string, string> = {};
    for (const [name, value] of Object.entries(place)) shown[name] = value.slice(0, SHOWN_CHARS);
    if (this.#tooLarge >= this.#logged * 2) this.#log({ ...shown, bytes: tooLarge });
    return JSON.stringify({ ...shown, tooLarge });
  }

  /** At the first such row, each time that they are twice as many, and at the end. */
  #log(details: object): void {
    this.#logged = this.#tooLarge;
    const { logger, step } = this.#context;
    logger.warn(
      { event: "row-too-large", step, ...details, rowsTooLarge: this.#tooLarge },
      `${this.#tooLarge} rows of output "${step}" were larger than maxValueBytes (${this.#maxRowBytes}): each was ` +
        'replaced by {"tooLarge": bytes}. Keep less in one row, or raise maxValueBytes.',
    );
  }
}
