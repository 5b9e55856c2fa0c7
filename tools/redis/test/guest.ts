import { ask } from "../src/ask.ts";

/* A program that needs a Redis: says what it answers, then waits to be ended. */

const port = Number(process.env["REDIS_PORT"]);
console.log(await ask({ host: "127.0.0.1", port }, ["PING"], AbortSignal.timeout(5_000)).catch(String));
process.on("SIGTERM", () => process.exit(0));
setInterval(() => undefined, 2 ** 30);
