import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { startRedis } from "@millrace/local-redis";
import type { LocalRedis } from "@millrace/local-redis";
import type { StartedProgram } from "@millrace/local-redis/programs";
import { inspectWorkers } from "@millrace/redis-store";
import type { WorkerInspection } from "@millrace/redis-store";
import { eventually, keptRows, sumsOf, sumsOfLines } from "./support/kept-results.ts";
import { aggregator, aggregatorCommand, publisher } from "./support/programs.ts";

const EVENTS = join(import.meta.dirname, "../../../data/events.jsonl");
const EXPECTED = sumsOfLines(readFileSync(EVENTS, "utf8").trimEnd().split("\n"));

let redis: LocalRedis;

beforeAll(async () => {
  redis = await startRedis();
});

afterAll(async () => {
  await redis.stop();
});

/** How many partitions each worker has, the least first. */
async function shares(): Promise<readonly number[]> {
  const workers = await inspectWorkers({ url: redis.url }, "mobile_counts");
  return workers.map(({ parts }) => parts.length).sort((a, b) => a - b);
}

async function untilShares(...wanted: readonly number[]): Promise<void> {
  await eventually(async () => JSON.stringify(await shares()) === JSON.stringify(wanted));
}

interface Task {
  readonly part: string;
  readonly phase: string;
}

/** The parts of `/api/tasks` that the tests look at. */
interface Tasks {
  readonly account: { readonly received: number };
  readonly tasks: readonly Task[];
  readonly others: readonly { readonly parts: readonly string[] }[] | null;
}

/** The parts of `/api/windows` that the tests look at. */
interface Windows {
  readonly windows: readonly { readonly openIn: readonly string[] }[];
}

/** What a run shows over HTTP. */
async function shownBy(program: StartedProgram): Promise<{
  readonly get: (path: string) => Promise<Response>;
  readonly tasks: () => Promise<Tasks>;
  /** Partitions that have a window open. */
  readonly openIn: () => Promise<readonly string[]>;
}> {
  const { url } = await program.logged("http-listening");
  const get = (path: string): Promise<Response> => fetch(new URL(path, String(url)));
  const json = async (path: string): Promise<unknown> => (await get(path)).json();
  return {
    get,
    tasks: async () => (await json("api/tasks")) as Tasks,
    openIn: async () => {
      const { windows } = (await json("api/windows")) as Windows;
      return windows.flatMap(({ openIn }) => openIn).sort();
    },
  };
}

const isOpen = ({ phase }: Task): boolean => phase === "running" || phase === "waiting";

const partsOf = (channel: string): readonly string[] =>
  Array.from({ length: 8 }, (_, n) => `{${channel}:${n}}`);

describe("workers that share the partitions of a stream", () => {
  test("have exact results, though one is killed and one is stopped under load", async () => {
    const stream = ["--transport=stream", "--channel=shared", "--partitions=8"];
    const counting = [...stream, "--sink=redis", "--window=tumbling:200ms", "--clock=publish:1s"];
    const sharing = [...counting, "--share", "--lease=1s"];
    const [killed, stopped, last] = [1, 2, 3].map(() => aggregator(redis.url, sharing));
    await untilShares(2, 3, 3);
    const publishing = publisher(redis.url, EVENTS, [...stream, "--rate=3000"]);
    await eventually(async () => (await keptRows(redis.url, partsOf("shared"))).flat().length > 0);
    killed?.kill("SIGKILL");
    stopped?.kill("SIGTERM");
    const { code, log } = (await stopped?.ended) ?? {};
    expect(code).toBe(0);
    expect(log?.find(({ event }) => event === "report")).toMatchObject({ unaccounted: 0, uncommitted: 0 });
    expect((await publishing.ended).code).toBe(0);
    await untilShares(8);

    const inspecting = await aggregatorCommand(["inspect", ...stream], { REDIS_URL: redis.url }).ended;
    const lines = inspecting.output.map((line) => JSON.parse(line) as Record<string, unknown>);
    const worker = lines.find((line) => "leaseAgeMs" in line);
    expect(worker).toMatchObject({ flow: "mobile_counts", leaving: false, parts: { length: 8 } });
    expect(lines[0]).toMatchObject({
      part: "{shared:0}",
      owner: worker?.["worker"],
      lag: expect.any(Number),
    });
    expect(lines.at(-1)).toMatchObject({ tasks: 8, workers: 1 });

    last?.kill("SIGTERM");
    expect((await last?.ended)?.code).toBe(0);
    const closing = aggregator(redis.url, [...counting, "--exit-when-idle=200ms", "--close-windows"]);
    expect((await closing.ended).code).toBe(0);
    expect(await closing.logged("report")).toMatchObject({ late: 0, lost: 0, unaccounted: 0 });
    expect(sumsOf((await keptRows(redis.url, partsOf("shared"))).flat())).toEqual(EXPECTED);
  });

  test("go on with another number of partitions, in the order that the guide has", async () => {
    const on = (partitions: number): readonly string[] => [
      "--transport=stream",
      "--channel=grown",
      `--partitions=${partitions}`,
    ];
    const counting = (partitions: number): readonly string[] => [
      ...on(partitions),
      "--sink=redis",
      "--window=tumbling:1s",
      "--clock=publish:1s",
      "--group=grown",
    ];
    const sharing = ["--share", "--lease=1s"];
    const partsWithRows = Array.from({ length: 4 }, (_, n) => `{grown:${n}}`);
    const two = aggregator(redis.url, [...counting(2), ...sharing]);
    await two.logged("reading");
    expect((await publisher(redis.url, EVENTS, on(2)).ended).code).toBe(0);
    two.kill("SIGTERM");
    expect((await two.ended).code).toBe(0);
    const early = await aggregator(redis.url, [...counting(4), ...sharing]).ended;
    expect(early.log.at(-1)).toMatchObject({ code: "MILLRACE_REDIS_LAYOUT_DIFFERS" });

    const closing = ["--exit-when-idle=200ms", "--close-windows"];
    expect((await aggregator(redis.url, [...counting(2), ...closing]).ended).code).toBe(0);
    expect((await publisher(redis.url, EVENTS, [...on(4), "--relayout"]).ended).code).toBe(0);
    const four = aggregator(redis.url, [...counting(4), ...sharing]);
    await four.logged("reading", ({ stream }) => stream === "{grown:3}");
    four.kill("SIGTERM");
    expect((await four.ended).code).toBe(0);
    expect((await aggregator(redis.url, [...counting(4), ...closing]).ended).code).toBe(0);
    const twice = new Map([...EXPECTED].map(([zone, users]) => [zone, 2 * users]));
    expect(sumsOf((await keptRows(redis.url, partsWithRows)).flat())).toEqual(twice);
  });

  test("are several processes of one command, with one report and one exit code, and one that dies is started again", async () => {
    const stream = ["--transport=stream", "--channel=several", "--partitions=4", "--group=several"];
    const counting = [...stream, "--window=tumbling:200ms", "--clock=publish:1s"];
    const parent = aggregator(redis.url, [
      ...counting,
      "--sink=redis",
      "--processes=2",
      "--lease=1s",
      "--http=0",
    ]);
    const shown = await shownBy(parent);
    const several = async (): Promise<readonly WorkerInspection[]> =>
      inspectWorkers({ url: redis.url }, "several");
    const even = async (): Promise<boolean> => {
      const workers = await several();
      return workers.length === 2 && workers.every(({ parts }) => parts.length === 2);
    };
    await eventually(even);
    const publishing = publisher(redis.url, EVENTS, [...stream.slice(0, 3), "--rate=3000"]);
    const [killed] = await several();
    process.kill(killed?.pid ?? 0, "SIGKILL");
    expect(await parent.logged("process-died")).toMatchObject({ signal: "SIGKILL" });
    expect((await publishing.ended).code).toBe(0);
    await eventually(even);
    await eventually(async () => (await shown.get("readyz")).status === 200);
    // Of the process that was killed it shows what it heard last.
    const { tasks, account } = await shown.tasks();
    expect(tasks.filter(isOpen).map(({ part }) => part)).toEqual(partsOf("several").slice(0, 4));
    expect(account.received).toBeGreaterThan(6_000);
    parent.kill("SIGTERM");
    const { code, log } = await parent.ended;
    expect(code).toBe(0);
    expect(log.filter(({ event }) => event === "report")).toHaveLength(1);
    expect(log.filter(({ event }) => event === "process-started")).toHaveLength(3);
    expect(log.find(({ event }) => event === "figures-missing")).toMatchObject({ crashes: 1 });
    expect(await several()).toEqual([]);
    const closing = ["--sink=redis", "--exit-when-idle=200ms", "--close-windows"];
    expect((await aggregator(redis.url, [...counting, ...closing]).ended).code).toBe(0);
    const parts = Array.from({ length: 4 }, (_, n) => `{several:${n}}`);
    expect(sumsOf((await keptRows(redis.url, parts)).flat())).toEqual(EXPECTED);
  });

  test("are shown with their partitions: the parent shows its processes as one run, and each worker names the others", async () => {
    const stream = ["--transport=stream", "--channel=shown", "--partitions=6", "--group=shown"];
    const sharing = [...stream, "--window=tumbling:100000d", "--sink=redis", "--lease=1s", "--http=0"];
    const parent = aggregator(redis.url, [...sharing, "--processes=2"]);
    const worker = aggregator(redis.url, [...sharing, "--share"]);
    const [ofParent, ofWorker] = [await shownBy(parent), await shownBy(worker)];
    await eventually(async () => (await ofParent.tasks()).tasks.filter(isOpen).length === 4);
    await eventually(async () => (await ofWorker.tasks()).tasks.filter(isOpen).length === 2);
    expect((await ofParent.get("readyz")).status).toBe(200);
    expect((await publisher(redis.url, EVENTS, stream.slice(0, 3)).ended).code).toBe(0);
    const received = async (): Promise<number> =>
      (await ofParent.tasks()).account.received + (await ofWorker.tasks()).account.received;
    await eventually(async () => (await received()) >= 12_000);
    expect(await received()).toBe(12_000);

    const [here, there] = [await ofParent.tasks(), await ofWorker.tasks()];
    const open = here.tasks.filter(isOpen).map(({ part }) => part);
    expect(new Set(here.tasks.map(({ part }) => part)).size).toBe(here.tasks.length);
    expect(here.account).toMatchObject({ lost: 0, unaccounted: 0 });
    expect(here.others).toMatchObject([
      { leaving: false, leaseAgeMs: expect.any(Number), parts: { length: 2 } },
    ]);
    expect(there.others?.flatMap(({ parts }) => parts).sort()).toEqual(open);
    expect(there.others).toHaveLength(2);
    const metrics = await (await ofParent.get("metrics")).text();
    for (const part of open)
      expect(metrics).toContain(`millrace_part_ready{flow="mobile_counts",part="${part}"} 1`);
    // A process that takes long to look at its open windows looks less often.
    await eventually(async () => (await ofParent.openIn()).join() === open.join());
    for (const each of [parent, worker]) {
      each.kill("SIGTERM");
      expect((await each.ended).code).toBe(0);
    }
  });

  test("end with the failure of a process that cannot start", async () => {
    const parent = aggregator("redis://127.0.0.1:1", [
      "--transport=stream",
      "--processes=2",
      "--connect-timeout=100ms",
    ]);
    const { code, log } = await parent.ended;
    expect(code).toBe(1);
    expect(log.at(-1)).toMatchObject({ code: "MILLRACE_WORKER_PROCESS_FAILED" });
    expect(log.filter(({ event }) => event === "process-started")).toHaveLength(2);
  });

  test("refuse one with another number of partitions, which ends and changes nothing", async () => {
    const stream = ["--transport=stream", "--channel=other", "--flow=audience", "--share", "--lease=1s"];
    const first = aggregator(redis.url, [...stream, "--partitions=2"]);
    await first.logged("reading");
    const second = aggregator(redis.url, [...stream, "--partitions=4"]);
    const { code, log } = await second.ended;
    expect(code).not.toBe(0);
    expect(log.at(-1)).toMatchObject({ code: "MILLRACE_SHARED_PARTS_DIFFER" });
    first.kill("SIGTERM");
    expect((await first.ended).code).toBe(0);
  });
});
