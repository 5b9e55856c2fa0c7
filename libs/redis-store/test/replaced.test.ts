import { expect, it } from "@jest/globals";
import { CallbackSink, Dataflow, FencedError, start } from "@millrace/dataflow";
import { TestingSource } from "@millrace/dataflow/testing";
import { HurriedTime } from "./support/hurried-time.ts";
import { serverOf, storeOf } from "./support/servers.ts";

it("a worker whose task was acquired by another ends within seconds, without events and windows", async () => {
  const server = await serverOf();
  const time = new HurriedTime();
  const flow = new Dataflow("idle");
  const source = new TestingSource<string>({ parts: ["p"] });
  flow
    .input("in", source)
    .keyBy("key", String)
    .statefulMap(
      "count",
      () => 0,
      (n, event) => [n + 1, event],
    )
    .output("out", new CallbackSink(() => undefined));
  const running = start(flow, { store: storeOf(server, { time }), time, commitEveryEvents: 1 });
  let failure: unknown;
  running.done.catch((error: unknown) => {
    failure = error;
  });
  source.push(["a"]);
  // In real time: with time set ahead, connecting would time out.
  while (failure === undefined && (running.stats().tasks[0]?.commits ?? 0) < 2) await time.yield();
  const next = await storeOf(server).acquire({ flow: "idle", part: "p" });
  const from = time.now();
  while (failure === undefined && time.now() < from + 60_000) {
    time.skip(500);
    // Long enough for the answer to what that starts.
    await next.newestOwner?.();
    await time.yield();
  }
  expect(failure).toBeInstanceOf(FencedError);
  expect(time.now() - from).toBeLessThanOrEqual(10_000);
});
