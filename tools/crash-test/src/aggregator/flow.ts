import { Dataflow } from "@millrace/dataflow";
import type { RawLine, Sink, Source } from "@millrace/dataflow";
import { clickCodec } from "@millrace/event-schema";
import type { ClickEvent } from "@millrace/event-schema";
import { eventTime, messageTime, tumbling } from "@millrace/windowing";
import type { WindowResult } from "@millrace/windowing";
import { eventOf } from "../click.ts";
import { FLOW, LATE } from "../names.ts";
import { addTallies, tallyOf } from "../tally.ts";
import type { Tally } from "../tally.ts";
import type { ClockKind } from "./config.ts";

/** The parts of the flow. */
export interface CrashFlowParts {
  readonly source: Source<RawLine>;
  readonly clock: ClockKind;
  readonly windowMs: number;
  readonly waitMs: number;
  readonly allowedLatenessMs: number;
  readonly pageSize: number;
  /** Sinks by id of the output step; each gets every row. */
  readonly results: Readonly<Record<string, Sink<WindowResult<Tally>>>>;
  /** Sink for late events. */
  readonly late: Sink<unknown>;
}

/** Tallies by time zone and window, each with its revisions. */
export function crashFlow(parts: CrashFlowParts): Dataflow {
  const { windowMs, waitMs, allowedLatenessMs, pageSize } = parts;
  const clock =
    parts.clock === "publish"
      ? messageTime({ wait: waitMs })
      : eventTime<ClickEvent>((click) => eventOf(click).at, { wait: waitMs });
  const flow = new Dataflow(FLOW);
  const tallies = flow
    .input("clicks", parts.source)
    .decode(clickCodec)
    .keyBy("os_timezone")
    .window("windows", tumbling(windowMs), clock, { allowedLateness: allowedLatenessMs, pageSize })
    .reduce("tallies", tallyOf, addTallies);
  for (const [id, sink] of Object.entries(parts.results)) tallies.output(id, sink);
  tallies.late.map(({ key, value }) => ({ late: eventOf(value).number, key })).output(LATE, parts.late);
  return flow;
}
