import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { startProgram } from "@millrace/cli";
import type { StartedProgram } from "@millrace/cli";
import { freePort } from "@millrace/local-redis";

const AGGREGATOR = join(import.meta.dirname, "../../../apps/aggregator/src/main.ts");
const ENSURE_REDIS = join(import.meta.dirname, "../src/ensure-redis.ts");

function served(env: Readonly<Record<string, string>>, args: readonly string[] = []): StartedProgram {
  return startProgram(AGGREGATOR, {
    args: ["--connect-timeout=0.3", ...args],
    env: {
      REDIS_URL: undefined,
      REDIS_HOST: undefined,
      NODE_OPTIONS: `--import tsx --import ${ENSURE_REDIS}`,
      ...env,
    },
  });
}

describe("a served program", () => {
  test("brings up a Redis that others share, and takes it along when it ends", async () => {
    const REDIS_PORT = String(await freePort());
    const owner = served({ REDIS_PORT });
    await owner.logged("subscribed");
    const guest = served({ REDIS_PORT });
    await guest.logged("subscribed");
    owner.kill("SIGTERM");
    const { code, complaints } = await owner.ended;
    expect(code).toBe(0);
    expect(complaints).toEqual([expect.stringContaining(`redis: started on localhost:${REDIS_PORT}`)]);
    await guest.logged("redis-lost");
    guest.kill("SIGTERM");
    const end = await guest.ended;
    expect(end.code).toBe(0);
    expect(end.complaints).toEqual([]);
  });

  test("starts none where one is named, nor for its help", async () => {
    const port = await freePort();
    const named = await served({ REDIS_HOST: "127.0.0.1", REDIS_PORT: String(port) }).ended;
    expect(named.code).toBe(1);
    expect(named.complaints).toEqual([]);
    const helped = await served({ REDIS_PORT: String(port), REDIS_SERVER: "/nowhere" }, ["--help"]).ended;
    expect(helped.code).toBe(0);
  });

  test("says what to do where none can be started", async () => {
    const env = { REDIS_PORT: String(await freePort()), REDIS_SERVER: "/nowhere/redis-server" };
    const { code, complaints } = await served(env).ended;
    expect(code).toBe(1);
    expect(complaints.join("\n")).toContain("/nowhere/redis-server");
  });
});
