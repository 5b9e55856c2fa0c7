import { Dataflow } from "@millrace/dataflow";
import type { RawLine, Sink, Source } from "@millrace/dataflow";
import { clickCodec } from "@millrace/event-schema";
import type { ClickEvent } from "@millrace/event-schema";
import { aggregate, count, eventTime, migrated, reduce, sum, tumbling } from "@millrace/windowing";
import type { Fold, WindowResult } from "@millrace/windowing";
import { eventOf } from "../click.ts";
import { FLOW, LATE, WINDOW_MS } from "../names.ts";
import { addTallies, tallyOf } from "../tally.ts";
import type { Tally } from "../tally.ts";

/** Versions of the flow: the first one, the one after it, and the first one as a version that comes after the second. */
export const VERSIONS = ["first", "second", "back"] as const;

/** One of {@link VERSIONS}. */
export type Version = (typeof VERSIONS)[number];

/** The step that only the second version has. */
export const ADDED = "totals";
/** Its output. */
export const NUMBERED = "numbered";

/** How many events of a key the second version has read since it was deployed. */
export interface Numbered {
  readonly key: string;
  readonly number: number;
}

interface VersionParts {
  readonly source: Source<RawLine>;
  /** Sinks by id of the output step; each gets every row. */
  readonly results: Readonly<Record<string, Sink<WindowResult<Tally>>>>;
  readonly late: Sink<unknown>;
  readonly numbered: Sink<Numbered>;
}

/** Events are delayed by up to 10 s. */
const WAIT_MS = 12_000;

const whole = reduce(tallyOf, addTallies);
const parted = aggregate({ events: count(), numbers: sum((click: ClickEvent) => eventOf(click).number) });

/** The same result by two folds that keep different state. */
const FOLDS: Readonly<Record<Version, Fold<ClickEvent, unknown, Tally>>> = {
  first: whole,
  second: migrated(parted, whole, (tally) => tally),
  back: migrated(whole, parted, (tally) => tally),
};

/** The flow as one version has it. */
export function flowOf(version: Version, { source, results, late, numbered }: VersionParts): Dataflow {
  const flow = new Dataflow(FLOW);
  const clicks = flow.input("clicks", source).decode(clickCodec).keyBy("os_timezone");
  const clock = eventTime<ClickEvent>((click) => eventOf(click).at, { wait: WAIT_MS });
  const tallies = clicks.window("windows", tumbling(WINDOW_MS), clock).fold("tallies", FOLDS[version]);
  for (const [id, sink] of Object.entries(results)) tallies.output(id, sink);
  tallies.late.map(({ key, value }) => ({ late: eventOf(value).number, key })).output(LATE, late);
  if (version === "second") {
    clicks
      .statefulMap(
        ADDED,
        () => 0,
        (before, _, key) => [before + 1, { key, number: before + 1 }],
      )
      .output(NUMBERED, numbered);
  }
  return flow;
}
