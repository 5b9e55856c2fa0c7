import { ask } from "../../dist/ask.js";
import { startRedis } from "../../dist/start-redis.js";

/* A program that starts a Redis and does not stop it; the first argument says how the program ends. */

const ending = process.argv[2];
const redis = await startRedis();

if (ending === "wait" || ending === "drain") setInterval(() => undefined, 2 ** 30);
if (ending === "drain") {
  process.once("SIGINT", () => {
    void ask(redis, ["PING"], AbortSignal.timeout(5_000)).then((reply) => {
      console.log(reply);
      process.exit(0);
    });
  });
}

console.log(JSON.stringify({ pid: redis.pid, dir: redis.dir }));
if (ending === "throw") throw new Error("a mistake");
if (ending === "exit") process.exit(3);
