import type { StoreOutput } from "@millrace/dataflow";
import { RedisOptionsError } from "@millrace/redis-source";
import { inRuns } from "../commit/operation.ts";
import type { Operation } from "../commit/operation.ts";
import { encodeText } from "../task-keys.ts";
import type { TaskKeys } from "../task-keys.ts";

/** How subscribers are notified of new results: `publish` to the whole cluster, `spublish` within the shard of the task. */
export type NoticeCommand = "publish" | "spublish";

/** Where a result sink writes its rows. */
export interface ResultTarget {
  /** The sink's name in keys. */
  readonly output: string;
  readonly notice: NoticeCommand | undefined;
}

/** Rows become entries of a stream. */
export interface StreamTarget extends ResultTarget {
  readonly maxLength: number;
}

/** Rows become fields of a hash per window. */
export interface HashTarget extends ResultTarget {
  /** `undefined`: rows stay. */
  readonly ttlMs: number | undefined;
}

/** One row for a {@link HashTarget}: the row as JSON, and windows whose row of this key is removed. */
export interface HashRow {
  readonly window: string;
  readonly key: string;
  readonly revision: number;
  /** Whether rows of its window were written before. */
  readonly correction: boolean;
  readonly row: string;
  readonly replaces: readonly string[];
}

/** Rows of a result sink in a commit, which turns them into operations. */
export abstract class RedisOutput implements StoreOutput {
  readonly step: string;
  abstract readonly target: ResultTarget;
  abstract readonly rows: readonly unknown[];

  constructor(step: string) {
    this.step = step;
  }

  /** The operations that make the rows visible. */
  abstract visible(keys: TaskKeys): Iterable<Operation>;

  /** The operations that notify subscribers, if there are notices. */
  *notices(keys: TaskKeys, commit: number): Generator<Operation> {
    const { notice, output } = this.target;
    if (notice === undefined || this.rows.length === 0) return;
    const name = notice === "publish" ? "PUBLISH" : "SPUBLISH";
    for (const news of this.news()) {
      yield [name, keys.results(output), JSON.stringify({ commit, ...news })];
    }
  }

  /** The notices about the rows. */
  protected abstract news(): Iterable<object>;
}

/** Rows, as JSON, for a stream. */
export class StreamOutput extends RedisOutput {
  readonly target: StreamTarget;
  readonly rows: readonly string[];

  constructor(step: string, target: StreamTarget, rows: readonly string[]) {
    super(step);
    this.target = target;
    this.rows = rows;
  }

  *visible(keys: TaskKeys): Generator<Operation> {
    const stream = keys.results(this.target.output);
    for (const row of this.rows) yield ["ENTRY", stream, String(this.target.maxLength), row];
  }

  protected news(): Iterable<object> {
    return [{ rows: this.rows.length }];
  }
}

/** Rows for a hash per window. */
export class HashOutput extends RedisOutput {
  readonly target: HashTarget;
  readonly rows: readonly HashRow[];

  constructor(step: string, target: HashTarget, rows: readonly HashRow[]) {
    super(step);
    this.target = target;
    this.rows = rows;
  }

  *visible(keys: TaskKeys): Generator<Operation> {
    const { output, ttlMs } = this.target;
    for (const { window, replaces, correction, rows } of groupsByWindow(this.rows)) {
      for (const replaced of replaces) {
        const voided = keys.window(output, replaced);
        yield ["VOID", voided, keys.revisions(output, replaced), ...rows.map(({ key }) => encodeText(key))];
      }
      const hash = keys.window(output, window);
      const revisions = keys.revisions(output, window);
      const fields = rows.map(({ key, revision, row }) => [encodeText(key), String(revision), row]);
      for (const run of inRuns(fields)) yield [correction ? "CORRECT" : "ROWS", hash, revisions, ...run];
      if (ttlMs !== undefined) yield ["EXPIRE", hash, revisions, String(ttlMs)];
    }
  }

  protected *news(): Generator<object> {
    const counts = new Map<string, number>();
    for (const { window } of this.rows) counts.set(window, (counts.get(window) ?? 0) + 1);
    for (const [window, rows] of counts) yield { window, rows };
  }
}

/** @throws RedisOptionsError for rows of a sink of another library */
export function redisOutput(output: StoreOutput): RedisOutput {
  if (output instanceof RedisOutput) return output;
  throw new RedisOptionsError(
    `Output "${output.step}" writes its rows with the commit of another store: ${JSON.stringify(output.target)}. ` +
      "Use a result sink of @millrace/redis-store with this store.",
  );
}

/** Consecutive rows of one window. */
interface RowGroup {
  readonly window: string;
  readonly replaces: readonly string[];
  readonly correction: boolean;
  readonly rows: HashRow[];
}

/** Groups consecutive rows of one window, in order; a row that replaces others is a group of its own. */
function* groupsByWindow(rows: readonly HashRow[]): Generator<RowGroup> {
  let last: RowGroup | undefined;
  for (const row of rows) {
    const { window, replaces, correction } = row;
    const alike = last?.window === window && last.correction === correction;
    if (last !== undefined && alike && last.replaces.length + replaces.length === 0) {
      last.rows.push(row);
      continue;
    }
    if (last !== undefined) yield last;
    last = { window, replaces, correction, rows: [row] };
  }
  if (last !== undefined) yield last;
}
