import { expect, it } from "@jest/globals";
import fc from "fast-check";
import { Dataflow, SILENT_LOGGER, run } from "@millrace/dataflow";
import { RedisStreamSource } from "@millrace/redis-source";
import { RedisStore, TaskKeys, resetTask } from "@millrace/redis-store";
import { eventTime, session, sliding, tumbling } from "@millrace/windowing";
import type { BuiltInWindower } from "@millrace/windowing";
import { clientOf, serverOf } from "./support/servers.ts";

const BASE = 1_763_848_800_000;

/** A click: when it happened, and how much later it was added to the stream, ms. */
interface Click {
  readonly key: string;
  readonly at: number;
  readonly delay: number;
}

/** Key, open, close, number of clicks. */
type Row = readonly [key: string, open: number, close: number, clicks: number];

const shapes = {
  tumbling: { windower: tumbling(5_000), reachMs: 0, oracle: fixed(5_000, 5_000) },
  sliding: { windower: sliding(7_000, { every: 3_000 }), reachMs: 0, oracle: fixed(7_000, 3_000) },
  session: { windower: session(2_000), reachMs: 2_000, oracle: sessions(2_000) },
};

function fixed(length: number, every: number): (clicks: readonly Click[]) => readonly Row[] {
  return (clicks) => {
    const counts = new Map<string, number>();
    for (const { key, at } of clicks) {
      for (let open = Math.floor(at / every) * every; open > at - length; open -= every) {
        const row = JSON.stringify([key, open, open + length]);
        counts.set(row, (counts.get(row) ?? 0) + 1);
      }
    }
    return [...counts].map(([row, clicks]): Row => {
      const [key, open, close] = JSON.parse(row) as [string, number, number];
      return [key, open, close, clicks];
    });
  };
}

function sessions(gap: number): (clicks: readonly Click[]) => readonly Row[] {
  return (clicks) => {
    const rows: [string, number, number, number][] = [];
    for (const { key, at } of clicks.toSorted((a, b) => a.at - b.at)) {
      const last = rows.findLast((row) => row[0] === key);
      if (last === undefined || at - last[2] > gap) rows.push([key, at, at, 1]);
      else {
        last[2] = at;
        last[3] += 1;
      }
    }
    return rows;
  };
}

function flowOf(stream: string, url: string, store: RedisStore, windower: BuiltInWindower): Dataflow {
  const flow = new Dataflow("replay");
  flow
    .input("clicks", new RedisStreamSource({ url }, { stream, blockMs: 50 }))
    .decode("decode", { decode: (line) => ({ kind: "event", event: JSON.parse(String(line)) as Click }) })
    .keyBy("key")
    .window(
      "windows",
      windower,
      eventTime(({ at }: Click) => at, { wait: 2_000 }),
    )
    .count()
    .output(
      "out",
      store.results({
        row: ({ key, value, window }) => ({ row: [key, window.open, window.close, value], window }),
      }),
    );
  return flow;
}

const clicks = fc.array(
  fc.record({
    key: fc.constantFrom("a", "b"),
    at: fc.nat(40_000).map((ms) => BASE + ms),
    delay: fc.nat(1_500),
  }),
  { minLength: 1, maxLength: 40 },
);

it("rows after a replay are the oracle's: written again from its time on, unchanged before, and none twice", async () => {
  const server = await serverOf();
  const client = clientOf(server);
  const { url } = server;
  let serial = 0;
  await fc.assert(
    fc.asyncProperty(
      clicks,
      fc.integer({ min: -1_000, max: 45_000 }),
      fc.constantFrom("tumbling", "sliding", "session"),
      async (given, after, shape) => {
        const { windower, reachMs, oracle } = shapes[shape];
        const stream = `clicks-${++serial}`;
        const entries = given.toSorted((a, b) => a.at + a.delay - (b.at + b.delay));
        for (const [index, click] of entries.entries()) {
          await client.xadd(stream, `${click.at + click.delay}-${index}`, "data", JSON.stringify(click));
        }
        const runOnce = async (): Promise<void> => {
          const store = new RedisStore({ url }, { logger: SILENT_LOGGER });
          await run(flowOf(stream, url, store, windower), {
            ...{ store, exitWhenIdleMs: 30, idleFrom: "start", closeWindows: true, logger: SILENT_LOGGER },
          });
          await store.close();
        };
        const task = { flow: "replay", part: stream };
        const rows = async (): Promise<readonly (readonly [hash: string, key: string, json: string])[]> => {
          const hashes = await client.keys(`${new TaskKeys(task).results("out")}:*`);
          const all = hashes.map(async (hash) =>
            Object.entries(await client.hgetall(hash)).map(([key, json]) => [hash, key, json] as const),
          );
          return (await Promise.all(all)).flat();
        };
        await runOnce();
        for (const [hash, key, json] of await rows()) {
          await client.hset(hash, key, JSON.stringify({ ...(JSON.parse(json) as object), old: true }));
        }

        const time = BASE + after;
        const start = new Date(time).toISOString();
        const results = shape === "session" ? { from: time + reachMs } : false;
        await resetTask({ url }, task, { start, results });
        await runOnce();

        const first = entries[0];
        const isAll = first !== undefined && first.at + first.delay >= time;
        const isAgain = ([, open]: Row): boolean => isAll || open - reachMs >= time;
        const found = (await rows()).map(([, , json]) => JSON.parse(json) as { row: Row; old?: true });
        const expected = oracle(given).map((row) => (isAgain(row) ? { row } : { row, old: true }));
        const inOrder = (each: readonly object[]): readonly string[] =>
          each.map((row) => JSON.stringify(row, ["row", "old"])).sort();
        const plain = found.map(({ row, old }) => (old === undefined ? { row } : { row, old }));
        expect(inOrder(plain)).toEqual(inOrder(expected));
      },
    ),
    { numRuns: 12 },
  );
}, 60_000);
