import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { startProgram } from "@millrace/local-redis/programs";

/** What a process uses is read from `/proc`. */
const hasProc = existsSync("/proc/self/stat");

function testOnLinux(name: string, run: () => Promise<void>): void {
  (hasProc ? test : test.skip)(`${name} (needs /proc)`, run);
}

const MAIN = join(import.meta.dirname, "../src/main.ts");

/** What is printed of a case. */
type JsonLine = Readonly<Record<string, unknown>>;

/** A quick look at some cases: the figures mean little, but the rows have to add up. */
async function lines(args: readonly string[]): Promise<readonly JsonLine[]> {
  const { code, output, complaints } = await startProgram(MAIN, {
    args: ["pipeline", "--json", "--rounds=1", "--scale=0.01", ...args],
  }).ended;
  expect({ code, complaints }).toEqual({ code: 0, complaints: [] });
  return output.map((line) => JSON.parse(line) as JsonLine);
}

testOnLinux("Pub/Sub: all count the same, and ratios are printed", async () => {
  const cases = await lines(["--case=pubsub-frames"]);
  expect(cases.map((each) => each["case"])).toEqual([
    "pubsub-frames-bare-listener",
    "pubsub-frames",
    "pubsub-frames-whole",
    "pubsub-frames-floor",
  ]);
  for (const each of cases) {
    expect(each).toMatchObject({
      events: 30_000,
      rounds: 1,
      cpuMicrosPerEvent: expect.any(Number),
      eventsPerCpuSecond: expect.any(Number),
      eventsPerSecond: expect.any(Number),
      rssMiB: expect.any(Number),
      ratioToBareListener: expect.any(Number),
      ratioToFloor: expect.any(Number),
    });
  }
  expect(cases[1]).toHaveProperty("latencyP99Ms", expect.any(Number));
  expect(cases[1]?.["targets"]).toEqual([{ ratio: "ratioToFloor", atMost: 0.6, met: expect.any(Boolean) }]);
});

testOnLinux("Streams: rows in Redis add up as well", async () => {
  const cases = await lines(["--case=stream-64"]);
  expect(cases.map((each) => each["case"])).toEqual(["stream-64-bare-loop", "stream-64-off", "stream-64-on"]);
  expect(cases[2]).toMatchObject({ rateToOff: expect.any(Number) });
});

test("an unknown case is refused by name", async () => {
  const { code, complaints } = await startProgram(MAIN, { args: ["pipeline", "--case=nonsense"] }).ended;
  expect(code).toBe(2);
  expect(complaints.join()).toMatch(/--case.*nonsense/);
});

testOnLinux("a benchmark that is interrupted ends at once, and says so", async () => {
  const program = startProgram(MAIN, {
    args: ["pipeline", "--json", "--scale=0.01", "--case=stream-64"],
  });
  await program.logged("measured");
  program.kill("SIGINT");
  const { code, output, log } = await program.ended;
  expect({ code, output }).toEqual({ code: 1, output: [] });
  expect(log.at(-1)).toMatchObject({ code: "MILLRACE_BENCH_INTERRUPTED" });
});
