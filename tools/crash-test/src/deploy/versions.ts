import { Dataflow } from "@millrace/dataflow";
import type { RawLine, Sink, Source, Stream } from "@millrace/dataflow";
import { clickCodec } from "@millrace/event-schema";
import type { ClickEvent } from "@millrace/event-schema";
import { aggregate, count, eventTime, migrated, reduce, sliding, sum, tumbling } from "@millrace/windowing";
import type { Fold, WindowResult } from "@millrace/windowing";
import { eventOf } from "../click.ts";
import { FLOW, LATE, WINDOW_MS } from "../names.ts";
import { addTallies, tallyOf } from "../tally.ts";
import type { Tally } from "../tally.ts";

/** Versions of the flow: the first one, the one after it, and the first one as a version that comes after the second. */
export const VERSIONS = ["first", "second", "back"] as const;

/** One of {@link VERSIONS}. */
export type Version = (typeof VERSIONS)[number];

/** The steps that only the second version has. */
export const ADDED = ["totals", "recent"] as const;
/** Outputs: the numbers of the added step, those of the step that all versions have, and the added windows. */
export const NUMBERED = "numbered";
export const CONTINUED = "continued";
export const RECENT = "recent_rows";

/** Length of the added windows, ms: some are open at each deployment, and some close before the next one. */
export const RECENT_MS = 1_000;
/** How often one begins, ms. */
export const RECENT_EVERY_MS = 250;

/** How many events of a key a step has read. */
export interface Numbered {
  readonly key: string;
  readonly number: number;
}

/** A row of the added windows. */
export interface RecentRow extends Tally {
  readonly key: string;
  /** Ms since the epoch. */
  readonly open: number;
  /** Number of the deployment that wrote it. */
  readonly deployment: number;
}

interface VersionParts {
  readonly source: Source<RawLine>;
  /** Sinks by id of the output step; each gets every row. */
  readonly results: Readonly<Record<string, Sink<WindowResult<Tally>>>>;
  readonly late: Sink<unknown>;
  readonly numbered: Sink<Numbered>;
  readonly recent: Sink<RecentRow>;
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

/**
 * The flow as one version has it.
 *
 * @param deployment number of the deployment, from 1 on: the version of the state that has another form in each
 */
export function flowOf(
  version: Version,
  deployment: number,
  { source, results, late, numbered, recent }: VersionParts,
): Dataflow {
  const flow = new Dataflow(FLOW);
  const clicks = flow.input("clicks", source).decode(clickCodec).keyBy("os_timezone");
  const clock = eventTime<ClickEvent>((click) => eventOf(click).at, { wait: WAIT_MS });
  const tallies = clicks.window("windows", tumbling(WINDOW_MS), clock).fold("tallies", FOLDS[version]);
  for (const [id, sink] of Object.entries(results)) tallies.output(id, sink);
  tallies.late.map(({ key, value }) => ({ late: eventOf(value).number, key })).output(LATE, late);
  continued(clicks, version, deployment).output(CONTINUED, numbered);
  if (version === "second") {
    clicks
      .statefulMap(
        ADDED[0],
        () => 0,
        (before, _, key) => [before + 1, { key, number: before + 1 }],
      )
      .output(NUMBERED, numbered);
    // Events are published in order, and have their time right before: none is late.
    const published = eventTime<ClickEvent>((click) => eventOf(click).published ?? Number.NaN, { wait: 0 });
    const windows = sliding(RECENT_MS, { every: RECENT_EVERY_MS });
    clicks
      .window(ADDED[1], windows, published, { idle: "never" })
      .fold(whole)
      .map(({ key, window, value }): RecentRow => ({ key, open: window.open, deployment, ...value }))
      .output(RECENT, recent);
  }
  return flow;
}

interface Seen {
  readonly events: number;
}

/** Numbers the events of a key in all versions. The second one keeps it in another form. */
function continued(
  clicks: Stream<ClickEvent, string>,
  version: Version,
  deployment: number,
): Stream<Numbered, string> {
  if (version === "second") {
    return clicks.statefulMap(
      "seen",
      (): Seen => ({ events: 0 }),
      ({ events }, _, key) => [{ events: events + 1 }, { key, number: events + 1 }],
      { version: deployment, migrate: (old) => ({ events: Number(old) }) },
    );
  }
  return clicks.statefulMap(
    "seen",
    () => 0,
    (before, _, key) => [before + 1, { key, number: before + 1 }],
    { version: deployment, migrate: (old) => (isSeen(old) ? old.events : Number.NaN) },
  );
}

function isSeen(old: unknown): old is Seen {
  return typeof old === "object" && old !== null && "events" in old && typeof old.events === "number";
}
