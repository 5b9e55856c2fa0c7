import type { StoreOutput } from "@millrace/dataflow";
import { RedisOptionsError } from "@millrace/redis-source";
import { inRuns } from "../commit/operation.ts";
import type { Operation } from "../commit/operation.ts";
import type { TaskKeys } from "../task-keys.ts";
import { encodeText } from "../text-codec.ts";
import { hashRowFromJson, targetFromJson } from "./result-target.ts";
import type { HashRow, HashTarget, ResultTarget, StreamTarget } from "./result-target.ts";

/** The operations that make rows visible. @throws RedisOptionsError */
export function* encodeRows(keys: TaskKeys, output: StoreOutput): Generator<Operation> {
  const target = targetOf(output);
  if (target.kind === "redis-stream") yield* encodeEntries(keys, target, output.rows.map(String));
  else yield* encodeWindows(keys, target, output.rows.map(hashRowFromJson));
}

/**
 * The operations that tell of rows: one for a stream, one for each window of a hash.
 *
 * @param number of the commit
 * @throws RedisOptionsError
 */
export function* encodeNotices(keys: TaskKeys, number: number, output: StoreOutput): Generator<Operation> {
  const target = targetOf(output);
  if (target.notice === null || output.rows.length === 0) return;
  const name = target.notice === "publish" ? "PUBLISH" : "SPUBLISH";
  const channel = keys.results(target.output);
  if (target.kind === "redis-stream") {
    yield [name, channel, JSON.stringify({ commit: number, rows: output.rows.length })];
    return;
  }
  const counts = new Map<string, number>();
  for (const { window } of output.rows.map(hashRowFromJson))
    counts.set(window, (counts.get(window) ?? 0) + 1);
  for (const [window, rows] of counts)
    yield [name, channel, JSON.stringify({ commit: number, window, rows })];
}

function targetOf({ step, target }: StoreOutput): ResultTarget {
  const known = targetFromJson(target);
  if (known !== undefined) return known;
  throw new RedisOptionsError(
    `Output "${step}" hands its rows to the commit for another store: ${JSON.stringify(target)}. ` +
      "Use a result sink of @millrace/redis-store with this store.",
  );
}

function* encodeEntries(keys: TaskKeys, target: StreamTarget, rows: readonly string[]): Generator<Operation> {
  const stream = keys.results(target.output);
  for (const row of rows) yield ["ENTRY", stream, String(target.maxLength), row];
}

function* encodeWindows(
  keys: TaskKeys,
  { output, ttlMs }: HashTarget,
  rows: readonly HashRow[],
): Generator<Operation> {
  for (const { window, replaces, correction, rows: together } of togetherOf(rows)) {
    for (const replaced of replaces) {
      const voided = keys.window(output, replaced);
      const names = together.map(({ key }) => encodeText(key));
      yield ["VOID", voided, keys.revisions(output, replaced), ...names];
    }
    const hash = keys.window(output, window);
    const revisions = keys.revisions(output, window);
    const fields = together.map(({ key, revision, row }) => [encodeText(key), String(revision), row]);
    for (const run of inRuns(fields)) yield [correction ? "CORRECT" : "ROWS", hash, revisions, ...run];
    if (ttlMs !== null) yield ["EXPIRE", hash, revisions, String(ttlMs)];
  }
}

/** Rows that follow each other and are of one window. */
interface Together {
  readonly window: string;
  readonly replaces: readonly string[];
  readonly correction: boolean;
  readonly rows: HashRow[];
}

/** Divides rows into runs of one window, in order; a row that voids others stands alone. */
function* togetherOf(rows: readonly HashRow[]): Generator<Together> {
  let last: Together | undefined;
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
