import type { ClickEvent } from "@millrace/event-schema";
import { Redis } from "ioredis";
import { map, mergeMap, reduce, Subject, windowTime } from "rxjs";
import { endWithParent, printRows } from "./common.ts";

/*
 * The usual RxJS program for windows: messages become a stream, and each window of time is a stream that is reduced.
 * Arguments: URL, channel, length of a window in ms.
 */
const [url = "", channel = "", windowMs = ""] = process.argv.slice(2);
endWithParent();
const messages = new Subject<string>();
messages
  .pipe(
    map((message) => JSON.parse(message) as ClickEvent),
    windowTime(Number(windowMs)),
    mergeMap((clicks) => clicks.pipe(reduce(counted, new Map<string, number>()))),
  )
  .subscribe((counts) => {
    printRows(counts, Date.now());
  });
const redis = new Redis(url);
redis.on("message", (_channel: string, message: string) => {
  messages.next(message);
});
await redis.subscribe(channel);

function counted(
  counts: Map<string, number>,
  { os_timezone: zone, device_is_mobile: mobile }: ClickEvent,
): Map<string, number> {
  return counts.set(zone, (counts.get(zone) ?? 0) + Number(mobile));
}
