import { ask } from "../../dist/ask.js";

/* A program that needs a Redis: reads its options, prints Redis' reply, then waits for its end. */

if (process.argv.includes("--bogus")) {
  console.log("unknown option --bogus");
  process.exit(2);
}
const password = process.env["GUEST_PASSWORD"];
const callback = Reflect.get(globalThis, Symbol.for("millrace.before-program"));
const stop = new AbortController();
if (typeof callback === "function") {
  const needs = process.env["GUEST_NEEDS"];
  const config = needs === "nothing" ? {} : { redis: { password }, startsRedis: needs !== "existing" };
  await Reflect.apply(callback, undefined, [config, stop.signal]);
}

const port = Number(process.env["REDIS_PORT"]);
const redis = { host: "127.0.0.1", port, password };
if (process.env["GUEST_STOPS"] === "1") {
  stop.abort();
  setInterval(() => {
    ask(redis, ["PING"], AbortSignal.timeout(1_000)).catch(() => {
      console.log("gone");
    });
  }, 50);
}
console.log(await ask(redis, ["PING"], AbortSignal.timeout(5_000)).catch(String));
process.on("SIGTERM", () => process.exit(0));
setInterval(() => undefined, 2 ** 30);
