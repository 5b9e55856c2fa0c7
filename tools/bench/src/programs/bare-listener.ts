import { Redis as Redis5 } from "ioredis";
import { Redis as Redis6 } from "ioredis6";
import { endWithParent, frameCounter, lineCounter } from "./common.ts";

/*
 * The usual hand-written listener: one callback on one channel.
 * Arguments: URL, channel, "bare" or "frames", client.
 */
const CLIENTS = {
  ioredis5: (url: string) => new Redis5(url),
  ioredis6: (url: string) => new Redis6(url),
  "ioredis6-resp2": (url: string) => new Redis6(url, { protocol: 2 }),
} as const;

const [url = "", channel = "", form, client = ""] = process.argv.slice(2);
endWithParent();
const count = form === "bare" ? lineCounter() : frameCounter();
const redis = CLIENTS[client as keyof typeof CLIENTS](url);
redis.on("message", (_channel: string, message: string) => {
  count(message);
});
await redis.subscribe(channel);
