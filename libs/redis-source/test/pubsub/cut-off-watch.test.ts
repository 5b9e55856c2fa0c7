import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { Redis } from "ioredis";
import { CutOffWatch } from "../../src/pubsub/cut-off-watch.ts";
import { partContext } from "../support/part-context.ts";
import type { TestContext } from "../support/part-context.ts";
import { scriptedRedis } from "../support/scripted-server.ts";
import type { ScriptedServer } from "../support/scripted-server.ts";

let server: ScriptedServer;
let client: Redis;
let context: TestContext;
let watch: CutOffWatch;
/** The answer to INFO. */
let info: readonly string[];
/** The answer to CONFIG GET of the limits. */
let limit: string;

beforeEach(async () => {
  server = await scriptedRedis(([name]) => {
    if (name === "config") return `*2\r\n${bulk("client-output-buffer-limit")}${bulk(limit)}`;
    return bulk(info.join("\r\n"));
  });
  client = new Redis(server.port, "127.0.0.1", { enableReadyCheck: false, disableClientInfo: true });
  limit = "normal 0 0 0 slave 1 2 3 pubsub 33554432 8388608 60";
  context = partContext();
  watch = new CutOffWatch("clicks", context);
});

afterEach(async () => {
  client.disconnect();
  await server.close();
});

function bulk(text: string): string {
  return `$${text.length}\r\n${text}\r\n`;
}

function counting(run: string, cutOffs: number): readonly string[] {
  return [`run_id:${run}`, `client_output_buffer_limit_disconnections:${cutOffs}`];
}

describe("CutOffWatch", () => {
  it.each([
    ["normal 0 0 0 pubsub 33554432 8388608 60", /33554432 bytes, or 8388608 bytes for 60 s/],
    ["pubsub 100 0 0 normal 0 0 0", /100 bytes;/],
    ["pubsub 0 0 0", /without limit/],
    ["", /unknown/],
  ])("logs the limit %j once", async (setting, logged) => {
    limit = setting;
    info = counting("a", 0);
    await watch.look(client, false);
    await watch.look(client, false);
    expect(context.logger.of("output-buffer-limit").map(({ message }) => message)).toEqual([
      expect.stringMatching(logged),
    ]);
  });

  it("believes a server that counts, whether the socket was read or not", async () => {
    info = counting("a", 4);
    await watch.look(client, false);
    await watch.look(client, true);
    expect(watch.cutOffs).toBe(0);
    info = counting("a", 5);
    await watch.look(client, false);
    expect(watch.cutOffs).toBe(1);
    expect(context.logger.of("cut-off")).toMatchObject([{ level: "warn", fields: { counted: 1 } }]);
  });

  it("reports it as likely if the server does not count and the socket was not read", async () => {
    info = ["run_id:a"];
    await watch.look(client, true);
    expect(watch.cutOffs).toBe(0);
    await watch.look(client, false);
    expect(watch.cutOffs).toBe(0);
    await watch.look(client, true);
    expect(watch.cutOffs).toBe(1);
    expect(context.logger.of("cut-off")[0]?.message).toMatch(/most likely/);
  });

  it("reports no cut-off if the server was restarted, or does not report its run id", async () => {
    info = counting("a", 0);
    await watch.look(client, true);
    info = counting("b", 3);
    await watch.look(client, true);
    info = [];
    await watch.look(client, true);
    await watch.look(client, true);
    expect(watch.cutOffs).toBe(0);
  });
});
