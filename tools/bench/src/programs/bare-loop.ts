import { Redis } from "ioredis";
import { frameCounter, lineCounter } from "./common.ts";

/*
 * The usual hand-written loops: one callback on one channel, or a blocking XREAD in a loop, without state.
 * Arguments: URL, channel or stream, "lines" or "frames", and for a stream the entries that XREAD asks for.
 */
const [url = "", channel = "", form, entries] = process.argv.slice(2);
const count = form === "lines" ? lineCounter() : frameCounter();
const redis = new Redis(url);
if (entries === undefined) {
  redis.on("message", (_channel: string, message: string) => {
    count(message);
  });
  await redis.subscribe(channel);
} else {
  for (let last = "0-0"; ;) {
    const reply = await redis.xread("COUNT", entries, "BLOCK", 0, "STREAMS", channel, last);
    for (const [id, [, message = ""]] of reply?.[0]?.[1] ?? []) {
      last = id;
      count(message);
    }
  }
}
