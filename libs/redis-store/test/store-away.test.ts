import { expect, it } from "@jest/globals";
import { CallbackSink, Dataflow, DrainTimeoutError, start } from "@millrace/dataflow";
import { TestingSource } from "@millrace/dataflow/testing";
import { StoreUnavailableError } from "@millrace/redis-store";
import { TASK, commitOf, put } from "./support/commits.ts";
import { HurriedTime } from "./support/hurried-time.ts";
import { clientOf, refusedWith, serverOf, storeOf } from "./support/servers.ts";
import { warnings } from "./support/warnings.ts";

const HALF_AN_HOUR = 1_800_000;

it("waits without limit for a Redis that is out of memory, and logs it every 30 s", async () => {
  const server = await serverOf();
  const client = clientOf(server);
  const time = new HurriedTime();
  const logger = warnings();
  const task = await storeOf(server, { time, logger }).acquire(TASK);
  await client.config("SET", "maxmemory", "1");
  let logged = logger.next("store-waiting");
  const committing = task.commit(commitOf(1, { changes: [put("w/1", { a: 1 })] }));
  await refusedWith(client, "OOM");
  time.skip(2_000);
  await logged;
  logged = logger.next("store-waiting");
  time.skip(30_000);
  await logged;
  time.skip(HALF_AN_HOUR);
  await client.config("SET", "maxmemory", "0");
  expect(await committing).toMatchObject({ kind: "applied" });
  expect(logger.messages[0]).toMatch(/waiting for Redis at .* to apply a commit, for \d+ s now: .*OOM/);
  expect(logger.events.length).toBeLessThan(4);
});

it("waits without limit for a Redis that is away", async () => {
  const server = await serverOf();
  const time = new HurriedTime();
  const logger = warnings();
  const task = await storeOf(server, { time, logger }).acquire(TASK);
  const lost = logger.next("redis-lost");
  await server.kill();
  const committing = task.commit(commitOf(1));
  await lost;
  const away = logger.next("redis-away");
  time.skip(HALF_AN_HOUR);
  await away;
  await server.restart();
  expect(await committing).toMatchObject({ kind: "applied" });
});

it("gives up after storeTimeoutMs", async () => {
  const server = await serverOf();
  const time = new HurriedTime();
  const logger = warnings();
  const task = await storeOf(server, { time, logger, storeTimeoutMs: HALF_AN_HOUR }).acquire(TASK);
  const lost = logger.next("redis-lost");
  await server.kill();
  const committing = task.commit(commitOf(1));
  const from = time.now();
  let failure: unknown;
  committing.catch((error: unknown) => {
    failure = error;
  });
  await lost;
  while (failure === undefined) {
    time.skip(60_000);
    await time.yield();
  }
  expect(failure).toBeInstanceOf(StoreUnavailableError);
  expect(failure).toMatchObject({
    code: "MILLRACE_STORE_UNAVAILABLE",
    retryable: true,
    message: expect.stringContaining(`did not apply a commit within ${HALF_AN_HOUR} ms`),
  });
  expect(time.now() - from).toBeGreaterThanOrEqual(HALF_AN_HOUR);
});

it("does not delay the end of a run that is stopped while a commit waits", async () => {
  const server = await serverOf();
  const logger = warnings();
  const store = storeOf(server, { logger });
  const source = new TestingSource<string>();
  const flow = new Dataflow("waiting");
  flow
    .input("in", source)
    .keyBy("key", String)
    .statefulMap(
      "count",
      () => 0,
      (n, event) => [n + 1, event],
    )
    .output("out", new CallbackSink(() => undefined));
  const running = start(flow, { store, logger, drainTimeoutMs: 200 });
  while ((running.stats().tasks[0]?.commits ?? 0) === 0) await new Promise(setImmediate);
  await server.kill();
  source.push(["a"]);
  const ended = expect(running.done).rejects.toBeInstanceOf(DrainTimeoutError);
  void running.stop().catch(() => undefined);
  await ended;
});
