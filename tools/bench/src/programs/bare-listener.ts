import { Redis as Redis5 } from "ioredis";
import { Redis as Redis6 } from "ioredis6";
import { frameCounter, lineCounter } from "./common.ts";

/*
 * The usual hand-written listener: one callback on one channel.
 * Arguments: URL, channel, events in a message, client.
 */
const CLIENTS = {
  ioredis5: (url: string) => new Redis5(url),
  ioredis6: (url: string) => new Redis6(url),
  resp2: (url: string) => new Redis6(url, { protocol: 2 }),
} as const;

const [url = "", channel = "", batch, client = ""] = process.argv.slice(2);
const count = batch === "1" ? lineCounter() : frameCounter();
const redis = CLIENTS[client as keyof typeof CLIENTS](url);
redis.on("message", (_channel: string, message: string) => {
  count(message);
});
await redis.subscribe(channel);
