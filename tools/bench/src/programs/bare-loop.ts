import { Redis as Redis5 } from "ioredis";
import { Redis as Redis6 } from "ioredis6";
import { frameCounter, lineCounter } from "./common.ts";

/*
 * The usual hand-written loops: one callback on one channel, or a blocking XREAD in a loop, without state.
 * Arguments: URL, channel or stream, "lines" or "frames", client, entries that XREAD asks for.
 */
const [url = "", channel = "", form, client, entries = ""] = process.argv.slice(2);
const count = form === "lines" ? lineCounter() : frameCounter();
if (client === "xread") {
  const redis = new Redis5(url);
  for (let last = "0-0"; ;) {
    const reply = await redis.xread("COUNT", entries, "BLOCK", 0, "STREAMS", channel, last);
    for (const [id, [, message = ""]] of reply?.[0]?.[1] ?? []) {
      last = id;
      count(message);
    }
  }
}
const redis =
  client === "ioredis5" ? new Redis5(url) : new Redis6(url, { protocol: client === "resp2" ? 2 : 3 });
redis.on("message", (_channel: string, message: string) => {
  count(message);
});
await redis.subscribe(channel);
