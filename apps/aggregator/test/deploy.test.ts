import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { startRedis } from "@millrace/local-redis";
import type { LocalRedis } from "@millrace/local-redis";
import { addLines } from "./support/add-lines.ts";
import { clickLine } from "./support/clicks.ts";
import { aggregator, aggregatorCommand } from "./support/programs.ts";

const STREAM = ["--transport=stream", "--channel=deployed"];
const STEP = "windows.mobile";

let redis: LocalRedis;

beforeAll(async () => {
  redis = await startRedis();
});

afterAll(async () => {
  await redis.stop();
});

/** What `inspect --diff` says of a version with these options. */
async function difference(options: readonly string[]): Promise<{
  readonly code: number | null;
  readonly lines: readonly unknown[];
  /** Code of the error. */
  readonly failure: unknown;
}> {
  const args = ["inspect", "--diff", ...STREAM, ...options];
  const program = aggregatorCommand(args, { REDIS_URL: redis.url });
  const { code, output } = await program.ended;
  return {
    code,
    lines: output.map((line): unknown => JSON.parse(line)),
    failure: code === 0 ? undefined : (await program.logged("failed"))["code"],
  };
}

test("inspect --diff says what another version does with the state, and --drop-state lets it start", async () => {
  const hours = [...STREAM, "--exit-when-idle=100ms"];
  await addLines(redis.url, "deployed", [clickLine()]);
  expect((await aggregator(redis.url, [...hours, "--window=tumbling:1h"]).ended).code).toBe(0);

  const same = await difference(["--window=tumbling:1h"]);
  expect(same.lines).toMatchObject([
    { starts: true, kept: [{ step: STEP, from: STEP }], begun: [], migrated: [], dropped: [], refused: [] },
    { flow: "mobile_counts", tasks: 1, starts: true },
  ]);
  expect(same.code).toBe(0);

  const other = await difference(["--window=tumbling:2h"]);
  expect(other.code).toBe(1);
  expect(other.failure).toBe("MILLRACE_STATE_MISMATCH");
  expect(other.lines).toMatchObject([
    {
      starts: false,
      refused: [{ step: STEP, why: `step "${STEP}", windows: kept tumbling 1 h, now tumbling 2 h` }],
    },
    { starts: false },
  ]);
  expect((await aggregator(redis.url, [...hours, "--window=tumbling:2h"]).ended).code).toBe(1);

  const dropping = ["--window=tumbling:2h", `--drop-state=${STEP}`, "--drop-state=other,another"];
  const dropped = await difference(dropping);
  expect(dropped.code).toBe(0);
  expect(dropped.lines).toMatchObject([
    { starts: true, dropped: [{ step: STEP }], begun: [{ step: STEP }] },
    {},
  ]);
  await addLines(redis.url, "deployed", [clickLine()]);
  expect((await aggregator(redis.url, [...hours, ...dropping]).ended).code).toBe(0);
  expect((await difference(["--window=tumbling:2h"])).code).toBe(0);
});
