import type { PartContext, SinkPartition, Store } from "@millrace/dataflow";
import type { RedisOutput } from "./redis-output.ts";

/** A store whose commits carry rows. */
export interface ResultStore extends Store {
  /** A larger row is replaced. */
  readonly maxValueBytes: number;
}

/** A row as a commit carries it, and its replacement if it is too large. */
export interface EncodedRow<R> {
  /** The row itself, as JSON. */
  readonly text: string;
  /** Makes the row of the commit. @param text the row or its replacement, as JSON */
  readonly rowOf: (text: string) => R;
  /** The row's window and key, if it has them. */
  readonly place: Readonly<Record<string, string>>;
}

/** The longest part of a key that a replacement names. */
const SHOWN_CHARS = 200;

/** Keeps rows until the commit that makes them visible. */
export class ResultPartition<T, R> implements SinkPartition<T> {
  readonly #outputOf: (rows: readonly R[]) => RedisOutput;
  readonly #encode: (row: T) => EncodedRow<R>;
  readonly #maxRowBytes: number;
  readonly #context: PartContext;
  #rows: R[] = [];
  #tooLarge = 0;
  /** How many of them were logged. */
  #logged = 0;

  /** @param maxRowBytes of one row as JSON; a larger one is replaced by a row that says so */
  constructor(
    outputOf: (rows: readonly R[]) => RedisOutput,
    maxRowBytes: number,
    context: PartContext,
    encode: (row: T) => EncodedRow<R>,
  ) {
    this.#outputOf = outputOf;
    this.#maxRowBytes = maxRowBytes;
    this.#context = context;
    this.#encode = encode;
  }

  writeBatch(rows: readonly T[]): Promise<void> {
    for (const row of rows) {
      const { text, rowOf, place } = this.#encode(row);
      this.#rows.push(rowOf(this.#isTooLarge(text) ? this.#replacement(text, place) : text));
    }
    return Promise.resolve();
  }

  takeOutputs(): readonly RedisOutput[] {
    if (this.#rows.length === 0) return [];
    const rows = this.#rows;
    this.#rows = [];
    return [this.#outputOf(rows)];
  }

  /** Does nothing: rows are written with the commit. */
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

  /** Failing would not help: the next run would have the same row again. */
  #replacement(text: string, place: EncodedRow<R>["place"]): string {
    this.#tooLarge += 1;
    const tooLarge = Buffer.byteLength(text);
    const shown: Record<string, string> = {};
    for (const [name, value] of Object.entries(place)) shown[name] = value.slice(0, SHOWN_CHARS);
    if (this.#tooLarge >= this.#logged * 2) this.#log({ ...shown, bytes: tooLarge });
    return JSON.stringify({ ...shown, tooLarge });
  }

  /** Logs at the first such row, each time their number doubles, and at the end. */
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
