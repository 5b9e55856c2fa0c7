import { afterEach, expect, test } from "@jest/globals";
import { VirtualTime } from "@millrace/dataflow/testing";
import { FlowMonitor } from "../src/index.ts";
import type { OtherWorker, Tasks } from "../src/index.ts";
import { FakeRun } from "./fake-run.ts";
import { closeAll, served } from "./support.ts";

const OTHER: OtherWorker = { worker: "w2", host: "two", leaseAgeMs: 300, leaving: false, parts: ["b", "c"] };

afterEach(closeAll);

function sharing(answer: (question: number) => Promise<readonly OtherWorker[]>): {
  readonly monitor: FlowMonitor;
  readonly time: VirtualTime;
  readonly asked: string[];
} {
  const time = new VirtualTime(10_000);
  const asked: string[] = [];
  const monitor = new FlowMonitor({
    time,
    others: (flow) => {
      asked.push(flow);
      return answer(asked.length);
    },
  });
  return { monitor, time, asked };
}

test("other workers are asked for by requests, at most once a second", async () => {
  const { monitor, time, asked } = sharing(() => Promise.resolve([OTHER]));
  await monitor.lookAtOthers();
  expect(asked).toEqual([]);
  monitor.started(new FakeRun());
  const { get } = await served(monitor, { time });
  time.set(12_000);
  expect(asked).toEqual([]);
  for (let times = 0; times < 3; times += 1) {
    expect((await (await get("api/tasks")).json()) as Tasks).toMatchObject({ others: [OTHER] });
  }
  expect(asked).toEqual(["clicks"]);
  time.set(13_000);
  expect(asked).toHaveLength(1);
  await get("api/tasks");
  expect(asked).toHaveLength(2);
});

test("clients of the stream get the other workers with the tasks, and once they have left Redis is not asked", async () => {
  const { monitor, time, asked } = sharing(() => Promise.resolve([OTHER]));
  monitor.started(new FakeRun());
  const { get } = await served(monitor, { time });
  const leave = new AbortController();
  const stream = await get("api/stream", { signal: leave.signal });
  const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!/event: tasks\n.*"others":\[\{"worker":"w2"/.test(text)) {
    time.set(time.now() + 1_000);
    text += (await reader?.read())?.value ?? "";
  }
  leave.abort();
  await reader?.read().catch(() => undefined);
  while (!/^millrace_stream_clients 0$/m.test(await (await get("metrics")).text()));
  time.set(time.now() + 11_000);
  const before = asked.length;
  time.set(time.now() + 5_000);
  expect(asked).toHaveLength(before);
});

test("an answer that does not come leaves them unknown", async () => {
  const { monitor, time } = sharing((question) =>
    question === 2 ? Promise.reject(new Error("no Redis")) : Promise.resolve([OTHER]),
  );
  monitor.started(new FakeRun());
  expect(monitor.tasks().others).toBeNull();
  for (const others of [[OTHER], null, [OTHER]]) {
    await monitor.lookAtOthers();
    expect(monitor.tasks().others).toEqual(others);
    time.set(time.now() + 1_000);
  }
});

test("a worker on its own has none", async () => {
  const monitor = new FlowMonitor();
  monitor.started(new FakeRun());
  await monitor.lookAtOthers();
  expect(monitor.tasks().others).toBeNull();
});
