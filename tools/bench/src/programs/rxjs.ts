import type { ClickEvent } from "@millrace/event-schema";
import { Redis } from "ioredis";
import { bufferTime, map, mergeMap, reduce, Subject, windowTime } from "rxjs";
import { WINDOW_MS } from "../lab/tally.ts";
import { printRows } from "./common.ts";

/*
 * The usual RxJS programs: messages become a stream. "buffer" collects those of a window and counts them at its end;
 * "window" makes each window of time a stream that is reduced.
 * Arguments: URL, channel, "buffer" or "window".
 */
const [url = "", channel = "", form = ""] = process.argv.slice(2);
const messages = new Subject<string>();
const clicks = messages.pipe(map((message) => JSON.parse(message) as ClickEvent));
const windows =
  form === "buffer"
    ? clicks.pipe(
        bufferTime(WINDOW_MS),
        map((all) => all.reduce(counted, new Map<string, number>())),
      )
    : clicks.pipe(
        windowTime(WINDOW_MS),
        mergeMap((window) => window.pipe(reduce(counted, new Map<string, number>()))),
      );
windows.subscribe(printRows);
const redis = new Redis(url);
redis.on("message", (_channel: string, message: string) => {
  messages.next(message);
});
await redis.subscribe(channel);

function counted(counts: Map<string, number>, click: ClickEvent): Map<string, number> {
  const { os_timezone: zone, device_is_mobile: mobile } = click;
  return counts.set(zone, (counts.get(zone) ?? 0) + Number(mobile));
}
