import type { Redis } from "ioredis";
import { SILENT_LOGGER, SYSTEM_TIME, mapRows } from "@millrace/dataflow";
import type { Commit, PartContext, Sink, StoreOutput } from "@millrace/dataflow";
import { RedisStreamResultSink } from "@millrace/redis-store";
import type { RedisStore } from "@millrace/redis-store";
import type { WindowResult } from "@millrace/windowing";
import { BASE, TASK, commitOf, put } from "./commits.ts";

interface Row {
  readonly window: string;
  readonly key: string;
  readonly users: number;
  readonly revision?: number;
  readonly replaces?: readonly string[];
}

const CONTEXT: PartContext = {
  flow: "test",
  step: "out",
  logger: SILENT_LOGGER,
  time: SYSTEM_TIME,
  signal: new AbortController().signal,
  reject: () => undefined,
  fail: () => undefined,
};

/**
 * Three commits. The second does everything that a commit can do: it puts, deletes and drops, appends rows, writes,
 * corrects and voids them, lets them expire, and notifies subscribers.
 *
 * @param size fields and rows of the second one
 */
export async function threeCommits(store: RedisStore, size: number): Promise<readonly Commit[]> {
  const hashes = store.results<Row>({
    row: ({ value }) => value,
    ttlMs: 3_600_000,
    notice: "spublish",
    name: "latest",
  });
  const latest = mapRows(hashes, resultOf);
  const history = new RedisStreamResultSink<Row>(store, { notice: "publish", name: "history" });
  const outputs = async (...rows: readonly Row[]): Promise<readonly StoreOutput[]> => [
    ...(await outputOf(latest, rows)),
    ...(await outputOf(history, rows)),
  ];
  const many = Array.from({ length: size }, (_, i) => `key ${i}`);
  return [
    commitOf(1, {
      changes: [put("w/1", { a: 1, b: 2 }), put("w/2", { a: 1 })],
      outputs: await outputs(
        { window: "w1", key: "a", users: 1 },
        { window: "w1", key: "b", users: 1 },
        { window: "s1", key: "a", users: 1 },
      ),
      watermark: 1_000,
    }),
    commitOf(2, {
      changes: [
        { group: "w/2", drop: true },
        { group: "w/1", put: many.map((key, i) => [key, i]), delete: ["b"] },
        put("w/3", { a: 3 }),
      ],
      outputs: await outputs(
        { window: "w1", key: "a", users: 2, revision: 1 },
        { window: "s2", key: "a", users: 2, replaces: ["s1"] },
        ...many.map((key, users): Row => ({ window: "w2", key, users })),
      ),
      watermark: 2_000,
    }),
    commitOf(3, {
      changes: [{ group: "w/1", drop: true }],
      outputs: await outputs({ window: "w1", key: "a", users: 3, revision: 2 }),
      watermark: 3_000,
    }),
  ];
}

/** Of a window named `s…`, the result of a session; else of a window of several keys, and late if it is a revision. */
function resultOf(row: Row): WindowResult<Row> {
  const { window, key, revision = 0, replaces = [] } = row;
  const open = Number(window.slice(1));
  const id = window.startsWith("s") ? window : open;
  return {
    key,
    value: row,
    window: { id, open, close: open + 1, mergedIds: [] },
    revision,
    cause: revision > 0 ? "late" : "watermark",
    complete: true,
    replaces,
  };
}

async function outputOf(sink: Sink<Row>, rows: readonly Row[]): Promise<readonly StoreOutput[]> {
  const part = await sink.buildPart(TASK.part, undefined, CONTEXT);
  await part.writeBatch(rows);
  return part.takeOutputs?.() ?? [];
}

/** Everything that Redis has under the task's keys, without what differs from owner to owner. */
export async function contentOf(client: Redis): Promise<Readonly<Record<string, unknown>>> {
  const content: Record<string, unknown> = {};
  for (const key of (await client.keys(`${BASE}:*`)).sort()) {
    const kind = await client.type(key);
    const expires = (await client.pttl(key)) > 0;
    if (kind === "hash") content[key] = { expires, fields: sorted(await client.hgetall(key)) };
    else if (kind === "stream") content[key] = (await client.xrange(key, "-", "+")).map(([, row]) => row);
    else content[key] = kind;
  }
  return content;
}

const OF_OWNER = new Set(["fence", "owner", "by", "at", "staging", "life"]);

function sorted(fields: Readonly<Record<string, string>>): readonly (readonly [string, string])[] {
  return Object.entries(fields)
    .filter(([name]) => !OF_OWNER.has(name))
    .map(([name, value]) => [name, value.replace(/^\d{13} (?=\d+m?$)/, "life ")] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
}
