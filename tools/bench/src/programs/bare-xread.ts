import { Redis } from "ioredis";
import { frameCounter } from "./common.ts";

/*
 * The usual hand-written stream reader: a blocking XREAD in a loop, without state. The stream has only frames.
 * Arguments: URL, stream, entries a read.
 */
const [url = "", stream = "", entries = ""] = process.argv.slice(2);
const count = frameCounter();
const redis = new Redis(url);
for (let last = "0-0"; ;) {
  const reply = await redis.xread("COUNT", entries, "BLOCK", 0, "STREAMS", stream, last);
  for (const [id, [, message = ""]] of reply?.[0]?.[1] ?? []) {
    last = id;
    count(message);
  }
}
