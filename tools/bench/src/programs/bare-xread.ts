import { Redis } from "ioredis";
import { endWithParent, lineCounter } from "./common.ts";

/*
 * The usual hand-written stream reader: a blocking XREAD in a loop, without state. The stream has only the publisher's
 * frames, so their first line is skipped.
 * Arguments: URL, stream, length of a window in ms, entries a read.
 */
const [url = "", stream = "", windowMs = "", entries = ""] = process.argv.slice(2);
endWithParent();
const count = lineCounter(Number(windowMs));
const redis = new Redis(url);
for (let last = "0-0"; ;) {
  const reply = await redis.xread("COUNT", entries, "BLOCK", 0, "STREAMS", stream, last);
  for (const [id, [, message = ""]] of reply?.[0]?.[1] ?? []) {
    last = id;
    const lines = message.split("\n");
    for (let i = 1; i < lines.length; i++) count(lines[i] ?? "");
  }
}
