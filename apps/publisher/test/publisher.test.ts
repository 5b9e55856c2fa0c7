import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { SILENT_LOGGER, SYSTEM_TIME } from "@millrace/dataflow";
import { decodeFrame } from "@millrace/redis-source";
import { freePort, startRedis } from "@millrace/local-redis";
import type { LocalRedis } from "@millrace/local-redis";
import { connectRedis, partitionOf } from "@millrace/redis-source";
import { publisher } from "./support/programs.ts";

let redis: LocalRedis;
let folder: string;
let file: string;

beforeAll(async () => {
  redis = await startRedis();
  folder = await mkdtemp(join(tmpdir(), "millrace-test-"));
  file = join(folder, "events.jsonl");
  await writeFile(
    file,
    ['{"click_id":"a","n":1}', '{"click_id":"b","n":2}', '{"click_id":"c","n":3}', ""].join("\n"),
  );
});

afterAll(async () => {
  await redis.stop();
  await rm(folder, { recursive: true, force: true });
});

/** The payloads of a stream's entries. */
async function messagesOf(stream: string): Promise<readonly Buffer[]> {
  const settings = { role: "test", logger: SILENT_LOGGER, time: SYSTEM_TIME };
  const connection = await connectRedis({ url: redis.url }, settings);
  try {
    const entries = await (await connection.whenUp()).xrangeBuffer(stream, "-", "+");
    return entries.map(([, [, message = Buffer.alloc(0)]]) => message);
  } finally {
    await connection.close();
  }
}

/** Lines of events with these numbers; `to` is excluded. */
function linesFrom(from: number, to: number): string {
  return Array.from({ length: to - from }, (_, i) => `{"n":${from + i}}\n`).join("");
}

describe("the publisher", () => {
  test("warns that there is no subscriber, publishes anyway, and reports how many events had none", async () => {
    const { code, log, output } = await publisher(redis.url, file, ["--wait-for-subscriber=100ms"]).ended;
    expect(code).toBe(0);
    expect(output).toEqual([]);
    const events = log.map(({ event }) => event);
    expect(events).toEqual(["starting", "no-subscriber", "progress", "report", "unheard"]);
    expect(log[3]).toMatchObject({ read: 3, published: 3, unheard: 3, bytes: 66 });
  });

  test("loops at its rate until it is stopped, and then exits with 0", async () => {
    const args = ["--loop", "--rate=200", "--wait-for-subscriber=0", "--progress-every=100ms"];
    const publishing = publisher(redis.url, file, args);
    await publishing.logged("progress", ({ done }) => Number(done) > 3);
    publishing.kill("SIGINT");
    const { code } = await publishing.ended;
    expect(code).toBe(0);
    const { published, perSecond } = await publishing.logged("report");
    expect(published).toBeGreaterThan(3);
    expect(perSecond).toBeLessThanOrEqual(300);
  });

  test("puts frames with numbers into a stream, or bare lines", async () => {
    const args = ["--transport=stream", "--generate=max", "--events=20", "--channel"];
    const [framed, bare] = await Promise.all([
      publisher(redis.url, file, [...args, "framed", "--batch=8"]).ended,
      publisher(redis.url, file, [...args, "bare", "--no-header"]).ended,
    ]);
    expect([framed.code, bare.code]).toEqual([0, 0]);
    expect(bare.log.at(-1)).toMatchObject({ event: "report", published: 20, resent: 0 });
    const lines = (await messagesOf("bare")).map(String);
    expect(lines.map((line) => (JSON.parse(line) as { n: number }).n)).toEqual(
      Array.from({ length: 20 }, (_, i) => (i % 3) + 1),
    );
    const frames = (await messagesOf("framed")).map((message) => decodeFrame(message));
    expect(frames.flatMap((frame) => (frame.kind === "frame" ? [frame.first, frame.count] : []))).toEqual([
      // The first and the last are heartbeats.
      0, 0, 0, 8, 8, 8, 16, 4, 20, 0,
    ]);
    expect(frames.flatMap((frame) => (frame.kind === "frame" ? frame.lines : []))).toEqual(lines);
  });

  test.each([1, 64])(
    "publishes lines as they are, in frames of %d, and refuses too long ones",
    async (batch) => {
      const strange = join(folder, "strange.jsonl");
      const lines = [
        Buffer.from("é"),
        Buffer.of(0xff, 0x00),
        Buffer.from(""),
        Buffer.from(" a\r"),
        Buffer.from("z"),
      ];
      const tooLong = "x".repeat(1_048_577);
      const content = lines.flatMap((line) => [line, Buffer.from("\n")]).slice(0, -1);
      await writeFile(strange, Buffer.concat([Buffer.from(`${tooLong}\n`), ...content]));
      const stream = `strange-${batch}`;
      const args = ["--transport=stream", `--channel=${stream}`, `--batch=${batch}`];
      const { code, log } = await publisher(redis.url, strange, args).ended;
      expect(code).toBe(0);
      expect(log.find(({ event }) => event === "report")).toMatchObject({
        read: 6,
        published: 5,
        refused: 1,
      });
      const frames = (await messagesOf(stream)).map((message) => decodeFrame(message));
      const got = frames.flatMap((frame) => (frame.kind === "frame" ? frame.lines : []));
      expect(got.map((line) => Buffer.from(line))).toEqual(lines);
    },
  );

  test("continues the numbers of its name, also after it was killed", async () => {
    const args = [
      "--transport=stream",
      "--channel=lasting",
      "--producer=shop",
      "--batch=10",
      "--generate=1000",
    ];
    const killed = publisher(redis.url, file, [...args, "--progress-every=50ms"]);
    await killed.logged("progress", ({ done }) => Number(done) > 20);
    killed.kill("SIGKILL");
    await killed.ended;
    const { code, log } = await publisher(redis.url, file, [...args, "--events=20"]).ended;
    expect(code).toBe(0);
    expect(log.map(({ event }) => event)).toEqual(
      expect.arrayContaining(["producer-waiting", "producer-goes-on"]),
    );
    const frames = (await messagesOf("lasting")).map((message) => decodeFrame(message));
    const numbered = frames.flatMap((frame) => (frame.kind === "frame" && frame.count > 0 ? [frame] : []));
    expect(new Set(numbered.map(({ producer }) => producer)).size).toBe(1);
    numbered.forEach(({ first }, i) => {
      const before = numbered[i - 1];
      expect(first).toBeGreaterThanOrEqual(before === undefined ? 0 : before.first + before.count);
    });
  });

  test("divides events among partitions by their key", async () => {
    const args = [
      "--transport=stream",
      "--channel=divided",
      "--partitions=2",
      "--partition-by=n",
      "--no-header",
    ];
    const keyed = Array.from({ length: 20 }, (_, n) => JSON.stringify({ n: String(n) })).join("\n");
    expect((await publisher(redis.url, "-", args, keyed).ended).code).toBe(0);
    const parts = await Promise.all(["{divided:0}", "{divided:1}"].map(messagesOf));
    parts.forEach((messages, part) => {
      const keys = messages.map((line) => (JSON.parse(String(line)) as { n: string }).n);
      expect(keys.map((key) => partitionOf(key, 2))).toEqual(keys.map(() => part));
    });
    expect(parts.flat()).toHaveLength(20);
  });

  test("fails when a stream is full and the policy is fail", async () => {
    const args = ["--transport=stream", "--channel=full", "--no-header"];
    const full = ["--max-stream-length=10", "--when-full=fail", "--generate=max", "--events=100"];
    const { code, log } = await publisher(redis.url, file, [...args, ...full]).ended;
    expect(code).toBe(1);
    expect(log.at(-1)).toMatchObject({ level: "error", code: "MILLRACE_REDIS_STREAM_FULL" });
    expect(await messagesOf("full")).toHaveLength(10);
  });

  test.each(["stream", "pubsub"])(
    "fails when Redis is gone before the last frame is sent on a %s",
    async (transport) => {
      const own = await startRedis();
      const args = [`--transport=${transport}`, "--channel=gone", "--batch=10", "--linger=60000ms"];
      const limits = ["--progress-every=50ms", "--wait-for-subscriber=0", "--drain-timeout=500ms"];
      const input = new PassThrough();
      const publishing = publisher(own.url, "-", [...args, ...limits], input);
      input.write(linesFrom(0, 10));
      await publishing.logged("progress", ({ done }) => done === 10);
      // This write waits until Redis has accepted the frame before, so nothing is in flight when Redis goes. The open
      // input keeps the last frame from being sent earlier.
      input.write(linesFrom(10, 19));
      await publishing.logged("progress", ({ done }) => done === 19);
      await own.kill();
      await publishing.logged("redis-lost");
      input.end();
      const { code, log } = await publishing.ended;
      expect(code).toBe(1);
      expect(await publishing.logged("report")).toMatchObject({ read: 19, published: 10, unsent: 9 });
      expect(log.filter(({ event }) => event === "unsent")).toMatchObject([{ level: "error", rows: 9 }]);
      expect(log.filter(({ event }) => event === "failed")).toMatchObject([
        { level: "error", code: "MILLRACE_DRAIN_TIMEOUT" },
      ]);
      await own.stop();
    },
  );

  test.each(["stream", "pubsub"])(
    "stopped while Redis is gone (%s), it ends within its drain timeout and reports what was not sent",
    async (transport) => {
      const own = await startRedis();
      const args = [`--transport=${transport}`, "--channel=gone", "--rate=200", "--loop"];
      // Rows wait for a frame that never fills up.
      const waiting = ["--batch=10000", "--linger=60000ms"];
      const shown = ["--progress-every=50ms", "--wait-for-subscriber=0", "--drain-timeout=500ms"];
      const publishing = publisher(own.url, file, [...args, ...waiting, ...shown]);
      await publishing.logged("progress", ({ done }) => Number(done) >= 10);
      await own.kill();
      await publishing.logged("redis-lost");
      publishing.kill("SIGTERM");
      const { code } = await publishing.ended;
      expect(code).toBe(1);
      const { read, published, unsent } = await publishing.logged("report");
      expect(Number(unsent)).toBeGreaterThan(0);
      expect(Number(published) + Number(unsent)).toBe(read);
      expect(await publishing.logged("failed")).toMatchObject({
        code: "MILLRACE_DRAIN_TIMEOUT",
        msg: expect.stringMatching(
          /within 500 ms .* the outputs have all rows, and may not have sent all of them$/,
        ),
      });
      await own.stop();
    },
  );

  test.each<readonly [string, readonly string[], "killed" | "frozen"]>([
    ["pubsub", [], "killed"],
    ["pubsub", ["--batch=5"], "killed"],
    ["pubsub", ["--producer=shop"], "killed"],
    ["sharded", [], "killed"],
    ["stream", [], "killed"],
    ["stream", ["--no-header"], "killed"],
    ["pubsub", [], "frozen"],
    ["stream", [], "frozen"],
  ])(
    "stopped in the middle of a write on %s %p to a Redis that is %s, it ends within its drain timeout",
    async (transport, more, how) => {
      const own = await startRedis();
      const args = [
        `--transport=${transport}`,
        "--channel=gone",
        "--generate=max",
        "--wait-for-subscriber=0",
      ];
      const shown = ["--progress-every=50ms", "--drain-timeout=500ms"];
      const publishing = publisher(own.url, file, [...args, ...more, ...shown]);
      await publishing.logged("progress", ({ done }) => Number(done) > 0);
      if (how === "frozen") process.kill(own.pid, "SIGSTOP");
      else {
        await own.kill();
        await publishing.logged("redis-lost");
      }
      publishing.kill("SIGTERM");
      const stopped = performance.now();
      const { code } = await publishing.ended;
      expect(performance.now() - stopped).toBeLessThan(3_500);
      if (how === "frozen") process.kill(own.pid, "SIGCONT");
      expect(code).toBe(1);
      const { read, published, unsent } = await publishing.logged("report");
      if (how === "killed") expect(Number(unsent)).toBeGreaterThan(0);
      expect(Number(published) + Number(unsent)).toBe(read);
      expect(await publishing.logged("failed")).toMatchObject({ code: "MILLRACE_DRAIN_TIMEOUT" });
      await own.stop();
    },
  );

  test("can be stopped while it waits for a subscriber", async () => {
    const publishing = publisher(redis.url, file, ["--wait-for-subscriber=600s"]);
    await publishing.logged("starting");
    publishing.kill("SIGTERM");
    const { code, log } = await publishing.ended;
    expect(code).toBe(0);
    expect(log.map(({ event }) => event)).toEqual(["starting", "stopping"]);
  });

  test("reports that there is no Redis, and at which address", async () => {
    const port = await freePort();
    const { code, log } = await publisher(`redis://127.0.0.1:${port}`, file, ["--connect-timeout=300ms"])
      .ended;
    expect(code).toBe(1);
    expect(log.at(-1)).toMatchObject({ level: "error", code: "MILLRACE_REDIS_UNREACHABLE" });
    expect(log.at(-1)?.msg).toContain(`127.0.0.1:${port}`);
  });

  test("names a bad variable and exits with 2", async () => {
    const { code, complaints } = await publisher(redis.url, join(folder, "missing.jsonl")).ended;
    expect(code).toBe(2);
    expect(complaints[0]).toMatch(/^publisher: EVENTS_JSONL_FILE: there is no file .*missing\.jsonl/);
  });
});
