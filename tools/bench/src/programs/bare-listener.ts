import { Redis as Redis5 } from "ioredis";
import { Redis as Redis6 } from "ioredis6";
import { endWithParent, lineCounter } from "./common.ts";

/*
 * The usual hand-written listener: one callback on one channel. Bare lines, or frames whose first line is skipped.
 * Arguments: URL, channel, length of a window in ms, "bare" or "frames", client.
 */
const CLIENTS = {
  ioredis5: (url: string) => new Redis5(url),
  ioredis6: (url: string) => new Redis6(url),
  "ioredis6-resp2": (url: string) => new Redis6(url, { protocol: 2 }),
} as const;

const [url = "", channel = "", windowMs = "", form, client = ""] = process.argv.slice(2);
endWithParent();
const count = lineCounter(Number(windowMs));
const redis = CLIENTS[client as keyof typeof CLIENTS](url);
if (form === "bare") {
  redis.on("message", (_channel: string, message: string) => {
    count(message);
  });
} else {
  redis.on("message", (_channel: string, message: string) => {
    const lines = message.split("\n");
    for (let i = 1; i < lines.length; i++) count(lines[i] ?? "");
  });
}
await redis.subscribe(channel);
