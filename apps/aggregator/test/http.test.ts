import { get } from "node:http";
import type { ClientRequest } from "node:http";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { SYSTEM_TIME } from "@millrace/dataflow";
import { startRedis } from "@millrace/local-redis";
import type { LocalRedis } from "@millrace/local-redis";
import { clickLine } from "./support/clicks.ts";
import { eventually } from "./support/kept-results.ts";
import { aggregator, publisher } from "./support/programs.ts";

let redis: LocalRedis;

beforeAll(async () => {
  redis = await startRedis();
});

afterAll(async () => {
  await redis.stop();
});

interface Row {
  readonly num_mobile_users: number;
}

interface Tasks {
  readonly account: { readonly received: number };
}

interface Windows {
  readonly windows: readonly {
    readonly top: readonly { readonly numbers: Readonly<Record<string, number>> }[];
  }[];
}

/** Opens the stream of events and reads it. */
function listen(url: string): Promise<ClientRequest & { text: () => string }> {
  return new Promise((resolve, reject) => {
    let text = "";
    const request = get(new URL("api/stream", url), { agent: false }, (response) => {
      response.setEncoding("utf8").on("data", (more: string) => (text += more));
      response.on("error", () => undefined);
      resolve(Object.assign(request, { text: () => text }));
    }).on("error", reject);
  });
}

test("a run is shown over HTTP: what it reports is what it prints; SIGTERM ends it with all its listeners", async () => {
  const stream = ["--transport=stream", "--channel=shown"];
  const run = aggregator(redis.url, [...stream, "--window=tumbling:1s", "--http=0"]);
  const { url } = await run.logged("http-listening");
  const at = String(url);
  const json = async (path: string): Promise<unknown> => (await fetch(new URL(path, at))).json();
  await run.logged("reading");
  await eventually(async () => (await fetch(new URL("readyz", at))).status === 200);
  const listeners = await Promise.all(Array.from({ length: 50 }, () => listen(at)));
  const lines = [...Array.from({ length: 30 }, () => clickLine()), "no click"];
  expect((await publisher(redis.url, "-", stream, lines.join("\n")).ended).code).toBe(0);
  // The clicks may be in two windows.
  let printed = 0;
  await run.printed((line) => {
    if (line.includes("Europe/Madrid")) printed += (JSON.parse(line) as Row).num_mobile_users;
    return printed === 30;
  });
  const { windows } = (await json("api/windows?key=Europe/Madrid")) as Windows;
  expect(
    windows.flatMap(({ top }) => top).reduce((sum, { numbers }) => sum + (numbers["value"] ?? 0), 0),
  ).toBe(30);
  expect(await json("api/tasks")).toMatchObject({
    account: { received: 31, decoded: 30, malformed: 1, counted: 30, unaccounted: 0 },
    tasks: [{ part: "shown", connected: true, holdsFlowBack: false }],
  });
  expect(await json("api/dead-letters")).toMatchObject({ total: 1, letters: [{ payload: "no click" }] });
  const metrics = await (await fetch(new URL("metrics", at))).text();
  expect(metrics).toMatch(/^millrace_events_total\{flow="[\w-]+",part="shown"\} 31$/m);
  expect(metrics).toMatch(/^millrace_stream_clients 50$/m);
  const began = SYSTEM_TIME.monotonic();
  run.kill("SIGTERM");
  expect((await run.ended).code).toBe(0);
  expect(SYSTEM_TIME.monotonic() - began).toBeLessThan(5_000);
  for (const { text } of listeners) {
    expect(text()).toMatch(/^id: \d+\nevent: snapshot\n/);
    expect(text()).toMatch(/event: end\ndata: \{"failed":false,"reason":null\}\n\n$/);
  }
});

test("what the publisher does is shown, too", async () => {
  const events = join(import.meta.dirname, "../../../data/events.jsonl");
  const run = publisher(redis.url, events, [
    "--transport=stream",
    "--channel=published",
    "--loop",
    "--rate=1000",
    "--http=0",
  ]);
  const at = String((await run.logged("http-listening"))["url"]);
  const received = async (): Promise<number> =>
    ((await (await fetch(new URL("api/tasks", at))).json()) as Tasks).account.received;
  await eventually(async () => (await received()) > 0);
  expect((await fetch(at)).headers.get("content-type")).toMatch(/^text\/html/);
  run.kill("SIGTERM");
  expect((await run.ended).code).toBe(0);
});

test("a host that others can reach ends a run without a token before it begins", async () => {
  const { code, complaints } = await aggregator(redis.url, ["--http=0", "--http-host=0.0.0.0"]).ended;
  expect(code).toBe(2);
  expect(complaints[0]).toMatch(/^aggregator: --http-host, .*: others can reach 0\.0\.0\.0: give a token/);
});

test("a port in use ends a run before it begins", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => other.once("listening", resolve));
  const { port } = other.address() as AddressInfo;
  const { code, log } = await aggregator(redis.url, [`--http=${port}`]).ended;
  other.close();
  expect(code).toBe(1);
  expect(log.at(-1)).toMatchObject({
    code: "MILLRACE_HTTP_FAILED",
    msg: expect.stringMatching(/the port is in use/),
  });
});
