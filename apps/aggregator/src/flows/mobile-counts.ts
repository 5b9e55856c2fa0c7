import { Dataflow } from "@millrace/dataflow";
import { clickCodec } from "@millrace/event-schema";
import { SystemClock } from "@millrace/windowing";
import type { WindowCause, WindowId, WindowResult } from "@millrace/windowing";
import type { FlowParts } from "./flow-parts.ts";

/** How many events came from mobile devices, for one time zone in one window. */
export interface MobileCount {
  readonly timezone: string;
  /** Mobile events: a user who clicks twice counts twice. */
  readonly num_mobile_users: number;
}

/** The same with where it comes from. */
export interface MobileCountWithMeta extends MobileCount {
  /** `[open, close)`, ms since the epoch. */
  readonly window: { readonly id: WindowId; readonly open: number; readonly close: number };
  /** Why the window closed. */
  readonly cause: WindowCause;
}

/**
 * Mobile events by time zone, in windows of system time.
 *
 * Every zone with an event in a window has a row, be it 0. Malformed lines go to the flow's dead letter and are
 * counted nowhere else. Nothing is ever late here: an event's time is that of its arrival.
 */
export function mobileCounts({ source, out, windower, meta }: FlowParts<MobileCount>): Dataflow {
  const flow = new Dataflow("mobile_counts");
  flow
    .input("clicks", source)
    .decode("decode", clickCodec)
    .keyBy("timezone", "os_timezone")
    .window("windows", windower, new SystemClock())
    .reduce(
      "mobile",
      (click) => Number(click.device_is_mobile),
      (a, b) => a + b,
    )
    .map("report", meta ? rowWithMeta : row)
    .output("out", out);
  return flow;
}

function row({ key, value }: WindowResult<number>): MobileCount {
  return { timezone: key, num_mobile_users: value };
}

function rowWithMeta(result: WindowResult<number>): MobileCountWithMeta {
  const { id, open, close } = result.window;
  return { ...row(result), window: { id, open, close }, cause: result.cause };
}
