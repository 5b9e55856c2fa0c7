import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, test } from "@jest/globals";
import { Dataflow, MemoryStore, run } from "@millrace/dataflow";
import type { Logger } from "@millrace/dataflow";
import { FlowDriver, TestingSink, TestingSource } from "@millrace/dataflow/testing";
import { count, distinct, systemTime, tumbling } from "@millrace/windowing";

interface Row {
  readonly events: number;
  readonly users: number;
  readonly overflow: number | undefined;
}

function audience(source: TestingSource<string>, out = new TestingSink<Row>()): Dataflow {
  const flow = new Dataflow("audience");
  flow
    .input("in", source)
    .keyBy("key", () => "all", { perPartition: true })
    .window("w", tumbling(1_000), systemTime())
    .aggregate("audience", { events: count(), users: distinct((user) => user) })
    .map("row", ({ value, overflow }) => ({ ...value, overflow }))
    .output("out", out);
  return flow;
}

const users = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, index) => `u${from + index}`.padEnd(8, "."));
/** Room for so many of them: a text of ten bytes of JSON, and what an element takes beside. */
const roomFor = (elements: number): number => elements * 110;

function warnings(lines: object[]): Logger {
  const quiet = (): void => undefined;
  return { debug: quiet, info: quiet, warn: (fields: object) => void lines.push(fields), error: quiet };
}

describe("a flood of values", () => {
  test("is counted as overflow above the run's maxStateBytes, and each restart continues", async () => {
    const source = new TestingSource<string>();
    const out = new TestingSink<Row>();
    const store = new MemoryStore();
    const lines: object[] = [];
    for (let life = 0; life < 3; life += 1) {
      const options = { store, maxStateBytes: roomFor(100), logger: warnings(lines) };
      const driver = await FlowDriver.start(audience(source, out), options);
      source.push(users(life * 60, (life + 1) * 60));
      await driver.settle();
      if (life === 2) await driver.advanceBy(1_000);
      await driver.stop();
    }
    expect(out.rows).toEqual([{ events: 180, users: 100, overflow: 80 }]);
    const step = { event: "values-overflow", step: "w.audience", part: "testing" };
    expect(lines).toEqual([
      { ...step, values: 20 },
      { ...step, values: 60 },
    ]);
  });

  test("is in the counts of its step", async () => {
    const source = new TestingSource<string>();
    source.push(users(0, 60));
    source.end();
    const stats = await run(audience(source), { maxStateBytes: roomFor(50), logger: warnings([]) });
    const step = stats.tasks[0]?.steps.find(({ operator }) => operator === "window");
    expect(step?.figures).toMatchObject({ counted: 60, overflowed: 0, overflowedValues: 10 });
  });

  test("that fitted into an earlier run is restored, and nothing is added to it", async () => {
    const source = new TestingSource<string>();
    const out = new TestingSink<Row>();
    const store = new MemoryStore();
    const lives = [
      [users(0, 60), roomFor(100)],
      [users(50, 70), roomFor(10)],
    ] as const;
    for (const [life, [events, maxStateBytes]] of lives.entries()) {
      const driver = await FlowDriver.start(audience(source, out), {
        store,
        maxStateBytes,
        logger: warnings([]),
      });
      source.push(events);
      await driver.settle();
      if (life === 1) await driver.advanceBy(1_000);
      await driver.stop();
    }
    expect(out.rows).toEqual([{ events: 80, users: 60, overflow: 10 }]);
  });

  test("ends neither a process with a small heap nor the one that continues from its state", async () => {
    const folder = await mkdtemp(join(tmpdir(), "millrace-flood-"));
    // Two lives in one process would share its heap, so each has its own process.
    const script = `
      import { CallbackSink, Dataflow, FileStore, IterableSource, run } from "@millrace/dataflow";
      import { count, distinct, systemTime, tumbling } from "@millrace/windowing";
      const [folder, stopAfter] = process.argv.slice(1);
      const stop = new AbortController();
      function* users() {
        for (let n = 0; n < 450_000; n++) {
          if (n === Number(stopAfter)) stop.abort();
          yield { key: n % 20, user: "user " + n + " of many" };
        }
      }
      let rows = 0, events = 0, overflow = 0;
      const flow = new Dataflow("flood");
      flow
        .input("in", new IterableSource({ [Symbol.iterator]: users }))
        .keyBy(({ key }) => String(key))
        .window("w", tumbling(86_400_000_000), systemTime())
        .aggregate("a", { events: count(), users: distinct(({ user }) => user) })
        .output("out", new CallbackSink((batch) => {
          for (const row of batch) {
            rows += 1;
            events += row.value.events;
            overflow += row.overflow ?? 0;
          }
        }));
      await run(flow, { store: new FileStore(folder), signal: stop.signal });
      console.log(JSON.stringify([rows, events, overflow > 0]));`;
    try {
      expect(await inSmallHeap(script, folder, "300000")).toEqual({ rc: 0, rows: [0, 0, false] });
      expect(await inSmallHeap(script, folder)).toEqual({ rc: 0, rows: [20, 450_000, true] });
    } finally {
      await rm(folder, { recursive: true });
    }
  }, 60_000);
});

async function inSmallHeap(
  script: string,
  ...more: readonly string[]
): Promise<{ rc: number | null; rows: unknown }> {
  // The build, which starts in a third of the time.
  const args = ["--max-old-space-size=48"];
  const options = { cwd: join(import.meta.dirname, ".."), env: { ...process.env, NODE_OPTIONS: "" } };
  const child = spawn(process.execPath, [...args, "--input-type=module", "-e", script, ...more], options);
  const closed = once(child, "close");
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  await closed;
  return { rc: child.exitCode, rows: output === "" ? errors : JSON.parse(output) };
}
