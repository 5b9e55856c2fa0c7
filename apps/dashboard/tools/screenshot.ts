/**
 * Draws docs/dashboard.png: the page over a flow that runs for a minute, with a real Redis between it and its publisher. For
 * a moment the flow is cut off, and some lines are malformed, so that the picture shows what loss looks like.
 *
 * It needs Chromium: that of the environment's CHROMIUM, or /usr/bin/chromium.
 */
import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { freePort, startRedis } from "@millrace/local-redis";
import type { LocalRedis } from "@millrace/local-redis";
import { startProgram } from "@millrace/local-redis/programs";
import { chromium } from "playwright-core";

const ROOT = join(import.meta.dirname, "../../..");
const PICTURE = join(ROOT, "docs/dashboard.png");
const RUN_MS = 70_000;
const CUT_OFF_AT_MS = 32_000;
const TRANSPORT = ["--channel", "clicks", "--partitions", "3"];
const PUBLISHER = join(ROOT, "apps/publisher/src/main.ts");
const MALFORMED = [
  '{"click_id":"dab70cd8","os_timezone":"Europe/Madrid","device_is_mobile":"yes"}',
  '{"click_id":"026f575f-ae2a-4abf-907f-987309851c53","os":"iPhone; CPU iP',
  "not a click",
].join("\n");

const redis = await startRedis();
const port = await freePort();
const env = { REDIS_URL: redis.url };
const flow = ["--flow", "audience", "--window", "tumbling:5s", "--store", "redis", "--http", String(port)];
const aggregator = startProgram(join(ROOT, "apps/aggregator/src/main.ts"), {
  args: [...flow, ...TRANSPORT],
  env,
});
const publisher = startProgram(PUBLISHER, {
  args: [...TRANSPORT, "--generate", "1500", "--batch", "64"],
  env,
});
const browser = await chromium.launch({
  executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu"],
});
try {
  await aggregator.logged("subscribed");
  const page = await browser.newPage({ viewport: { width: 1360, height: 900 }, colorScheme: "light" });
  await page.goto(`http://127.0.0.1:${port}/`);
  await delay(CUT_OFF_AT_MS);
  await command(redis, "CLIENT KILL TYPE pubsub");
  await delay(5_000);
  await startProgram(PUBLISHER, {
    args: [...TRANSPORT, "--file", "-", "--batch", "64"],
    env,
    input: MALFORMED,
  }).ended;
  await delay(RUN_MS - CUT_OFF_AT_MS - 5_000);
  await page.screenshot({ path: PICTURE, fullPage: true });
  console.log(`wrote ${PICTURE}`);
} finally {
  await browser.close();
  publisher.kill("SIGTERM");
  await publisher.ended;
  aggregator.kill("SIGTERM");
  await aggregator.ended;
  await redis.stop();
}

/** Sends one command, and returns when Redis has answered. */
async function command({ host, port: at }: LocalRedis, line: string): Promise<void> {
  const socket = connect(at, host);
  socket.write(`${line}\r\n`);
  await once(socket, "data");
  socket.destroy();
}
