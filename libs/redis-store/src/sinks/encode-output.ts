import type { StoreOutput } from "@millrace/dataflow";
import { RedisOptionsError } from "@millrace/redis-source";
import type { Command } from "../commit/command.ts";
import type { TaskKeys } from "../task-keys.ts";
import { encodeText } from "../text-codec.ts";
import { hashRowFromJson, targetFromJson } from "./result-target.ts";
import type { HashRow, HashTarget, NoticeCommand, StreamTarget } from "./result-target.ts";

/** Rows in one command. */
const ROWS_A_COMMAND = 200;

/**
 * The commands that make rows visible. A notice comes right before the last of them that it is about: both are in
 * one script, so nobody can read before the rows are there, and a user who may not publish is refused before
 * anything of that script is written.
 *
 * @throws RedisOptionsError
 */
export function* encodeOutput(keys: TaskKeys, number: number, output: StoreOutput): Generator<Command> {
  const target = targetFromJson(output.target);
  if (target === undefined) {
    throw new RedisOptionsError(
      `Output "${output.step}" hands its rows to the commit for another store: ${JSON.stringify(output.target)}. ` +
        "Use a result sink of @millrace/redis-store with this store.",
    );
  }
  if (target.kind === "redis-stream") yield* encodeEntries(keys, number, target, output.rows.map(String));
  else yield* encodeWindows(keys, number, target, output.rows.map(hashRowFromJson));
}

function* encodeEntries(
  keys: TaskKeys,
  number: number,
  { output, maxLength, notice }: StreamTarget,
  rows: readonly string[],
): Generator<Command> {
  const stream = keys.results(output);
  for (const row of rows) {
    yield ["XADD", stream, "MAXLEN", "~", String(maxLength), "*", "row", row];
  }
  if (notice !== null && rows.length > 0) yield noticeOf(notice, stream, { commit: number, rows: rows.length });
}

function* encodeWindows(
  keys: TaskKeys,
  number: number,
  { output, ttlMs, notice }: HashTarget,
  rows: readonly HashRow[],
): Generator<Command> {
  const counts = new Map<string, number>();
  for (const run of runsOf(rows)) {
    const [{ window, key, replaces }] = run;
    for (const replaced of replaces) {
      yield ["HDEL", keys.window(output, replaced), encodeText(key)];
      yield ["HDEL", keys.revisions(output, replaced), encodeText(key)];
    }
    const hash = keys.window(output, window);
    const revisions = keys.revisions(output, window);
    const fields = run.flatMap((row) => [encodeText(row.key), String(row.revision), row.row]);
    yield ["ROWS", hash, revisions, ...fields];
    if (ttlMs !== null) {
      yield ["PEXPIRE", hash, String(ttlMs)];
      yield ["PEXPIRE", revisions, String(ttlMs)];
    }
    counts.set(window, (counts.get(window) ?? 0) + run.length);
  }
  if (notice === null) return;
  for (const [window, count] of counts) {
    yield noticeOf(notice, keys.results(output), { commit: number, window, rows: count });
  }
}

/** Divides rows into runs of one window, in order. A row that voids others starts a run. */
function* runsOf(rows: readonly HashRow[]): Generator<[HashRow, ...HashRow[]]> {
  let run: [HashRow, ...HashRow[]] | undefined;
  for (const row of rows) {
    if (run?.[0].window === row.window && row.replaces.length === 0 && run.length < ROWS_A_COMMAND) {
      run.push(row);
      continue;
    }
    if (run !== undefined) yield run;
    run = [row];
  }
  if (run !== undefined) yield run;
}

function noticeOf(command: NoticeCommand, channel: string, news: object): Command {
  return [command === "publish" ? "PUBLISH" : "SPUBLISH", channel, JSON.stringify(news)];
}
