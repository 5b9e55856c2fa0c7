import type { ClickEvent } from "@millrace/event-schema";
import { Redis } from "ioredis";
import { map, mergeMap, reduce, Subject, windowTime } from "rxjs";
import { WINDOW_MS } from "../lab/tally.ts";
import { printRows } from "./common.ts";

/*
 * The usual RxJS program: messages become a stream, and each window of time a stream of its own that is reduced.
 * Arguments: URL, channel.
 */
const [url = "", channel = ""] = process.argv.slice(2);
const messages = new Subject<string>();
messages
  .pipe(
    map((message) => JSON.parse(message) as ClickEvent),
    windowTime(WINDOW_MS),
    mergeMap((window) => window.pipe(reduce(counted, new Map<string, number>()))),
  )
  .subscribe(printRows);
const redis = new Redis(url);
redis.on("message", (_channel: string, message: string) => {
  messages.next(message);
});
await redis.subscribe(channel);

function counted(counts: Map<string, number>, click: ClickEvent): Map<string, number> {
  const { os_timezone: zone, device_is_mobile: mobile } = click;
  return counts.set(zone, (counts.get(zone) ?? 0) + Number(mobile));
}
