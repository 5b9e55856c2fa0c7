import type { ClickEvent } from "@millrace/event-schema";
import { Redis } from "ioredis";
import { bufferTime, map, Subject } from "rxjs";
import { endWithParent, printRows } from "./common.ts";

/*
 * The simplest RxJS program: messages become a stream; those of a window are collected, and counted at its end.
 * Arguments: URL, channel, length of a window in ms.
 */
const [url = "", channel = "", windowMs = ""] = process.argv.slice(2);
endWithParent();
const messages = new Subject<string>();
messages
  .pipe(
    map((message) => JSON.parse(message) as ClickEvent),
    bufferTime(Number(windowMs)),
  )
  .subscribe((clicks) => {
    const counts = new Map<string, number>();
    for (const { os_timezone: zone, device_is_mobile: mobile } of clicks) {
      counts.set(zone, (counts.get(zone) ?? 0) + Number(mobile));
    }
    printRows(counts, Date.now());
  });
const redis = new Redis(url);
redis.on("message", (_channel: string, message: string) => {
  messages.next(message);
});
await redis.subscribe(channel);
