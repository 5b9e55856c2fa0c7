import { expect, it } from "@jest/globals";
import type { Redis } from "ioredis";
import { Dataflow, reconcile, run } from "@millrace/dataflow";
import type { Decoder, RawLine, Reconciliation } from "@millrace/dataflow";
import { RedisStreamSource } from "@millrace/redis-source";
import { RedisStore } from "@millrace/redis-store";
import { eventTime, tumbling } from "@millrace/windowing";
import { cleanUp, clientOf, serverOf } from "./support/servers.ts";
import { warnings } from "./support/warnings.ts";

interface Click {
  readonly zone: string;
  readonly at: number;
}

const DECODER: Decoder<RawLine, Click> = {
  decode(raw) {
    const text = String(raw);
    return text.startsWith("{")
      ? { kind: "event", event: JSON.parse(text) as Click }
      : { kind: "malformed", reason: { code: "no-json", message: "it is no object" } };
  },
};

const BATCH = 5;
const KEYS = "millrace:{clicks}:clicks*";

interface Stage {
  readonly client: Redis;
  /** Copies everything that Redis has of the task. */
  readonly save: () => Promise<void>;
  /** Empties the copy. */
  readonly forget: () => void;
  readonly putBack: () => Promise<void>;
  /** @param onCommit called before each commit, with the number of earlier ones of this run */
  readonly run: (onCommit: (made: number) => Promise<void>, stopAfter?: number) => Promise<Reconciliation>;
}

/** Runs over a stream of clicks, some of them malformed, while a test copies Redis and restores it. */
async function stage(entries: number): Promise<Stage> {
  const server = await serverOf();
  const client = clientOf(server);
  for (let id = 0; id < entries; id += 1) {
    const line = id % 7 === 0 ? "?" : JSON.stringify({ zone: `zone ${id % 3}`, at: id * 100 });
    await client.xadd("clicks", "*", "data", line);
  }
  let copy = new Map<string, Buffer>();
  return {
    client,
    async save() {
      copy = new Map();
      for (const key of await client.keys(KEYS)) copy.set(key, await client.dumpBuffer(key));
    },
    forget() {
      copy = new Map();
    },
    async putBack() {
      await deleteAll(client, KEYS);
      for (const [key, value] of copy) await client.restore(key, 0, value);
    },
    async run(onCommit: (made: number) => Promise<void>, stopAfter = Infinity): Promise<Reconciliation> {
      const logger = warnings();
      const stop = new AbortController();
      let made = 0;
      const store = new RedisStore(
        { url: server.url },
        {
          logger,
          failPoint: async (name) => {
            if (name === "before-commit") await onCommit(made);
            if (name === "after-commit") made += 1;
            if (made >= stopAfter) stop.abort();
          },
        },
      );
      cleanUp(() => store.close());
      const flow = new Dataflow("clicks");
      flow
        .input("in", new RedisStreamSource({ url: server.url }, { stream: "clicks", maxBatchEvents: BATCH }))
        .decode("decode", DECODER)
        .keyBy("zone", "zone")
        .window(
          "per_second",
          tumbling(1_000),
          eventTime(({ at }: Click) => at, { wait: 0 }),
        )
        .count("clicks")
        .output("out", store.results());
      const options = { commitEveryEvents: BATCH, exitWhenIdleMs: 200, closeWindows: true };
      return reconcile(await run(flow, { store, ...options, logger, signal: stop.signal }));
    },
  };
}

async function deleteAll(client: Redis, pattern: string): Promise<void> {
  const keys = await client.keys(pattern);
  if (keys.length > 0) await client.del(...keys);
}

it("a run is exact if its Redis is restored to 100 commits ago", async () => {
  const { run, save, putBack } = await stage(700);
  const figures = await run(async (made) => {
    if (made === 20) await save();
    if (made === 120) await putBack();
  });
  expect(figures).toMatchObject({ received: 700, malformed: 100, decoded: 600, windowed: 600 });
  expect(figures).toMatchObject({ counted: 600, late: 0, unaccounted: 0, uncommitted: 0 });
  expect(figures.discarded).toBeGreaterThanOrEqual(100 * BATCH);
}, 30_000);

it("a run does not count what an earlier run counted, even if Redis is restored to before its start", async () => {
  const { run, save, putBack } = await stage(400);
  const first = await run(async (made) => {
    if (made === 10) await save();
  }, 40);
  let back = false;
  const second = await run(async (made) => {
    if (made !== 20 || back) return;
    back = true;
    await putBack();
  });
  // The copy is the one after ten commits: the first is made before the first batch.
  const standing = 9 * BATCH;
  expect(first).toMatchObject({ unaccounted: 0, discarded: 0 });
  expect(second).toMatchObject({ received: 400 - standing, unaccounted: 0 });
}, 30_000);

it("a run begins again if Redis has lost the whole task", async () => {
  const { run, forget, putBack } = await stage(300);
  const figures = await run(async (made) => {
    if (made !== 30) return;
    forget();
    await putBack();
  });
  expect(figures).toMatchObject({ received: 300, unaccounted: 0 });
  expect(figures.discarded).toBeGreaterThanOrEqual(29 * BATCH);
}, 30_000);

it("a run continues from a commit of a version without counts", async () => {
  const { run, client } = await stage(100);
  await run(() => Promise.resolve(), 5);
  const meta = "millrace:{clicks}:clicks:meta";
  expect((await client.hget(meta, "counts"))?.length).toBeLessThan(200);
  await client.hdel(meta, "counts");
  const { received, unaccounted } = await run(() => Promise.resolve());
  expect(received).toBeLessThan(100);
  expect(unaccounted).toBe(0);
}, 30_000);
