import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "@jest/globals";

const FOLDER = join(import.meta.dirname, "../../../../../shared/data");

/** The tutorial's events, where they lie beside the repository. */
export const EXAMPLE_EVENTS: string = join(FOLDER, "example-events.jsonl");

const hasExample = existsSync(EXAMPLE_EVENTS);

/** A test over these events; where they are not there it is left out, and its name says what it needs. */
export function testWithExample(name: string, run: () => Promise<void>): void {
  (hasExample ? test : test.skip)(`${name} (needs ../shared/data/example-events.jsonl)`, run);
}

/** Mobile events by time zone in all of them, as the rows of one window, in order of time zones. */
export function expectedRows(): readonly string[] {
  return zones()
    .map(([timezone, { mobile_events }]) => JSON.stringify({ timezone, num_mobile_users: mobile_events }))
    .sort();
}

/** What else is known of each time zone, in their order. */
export function expectedAudience(): readonly object[] {
  return zones()
    .map(([timezone, zone]) => ({
      timezone,
      events: zone.total_events,
      mobile_events: zone.mobile_events,
      distinct_clicks: zone.distinct_click_ids,
      distinct_users: zone.distinct_users,
      distinct_mobile_users: zone.distinct_mobile_users,
    }))
    .sort((a, b) => (a.timezone < b.timezone ? -1 : 1));
}

type Zone = Readonly<
  Record<
    "total_events" | "mobile_events" | "distinct_click_ids" | "distinct_users" | "distinct_mobile_users",
    number
  >
>;

interface Counts {
  readonly per_timezone: Readonly<Record<string, Zone>>;
}

function zones(): readonly (readonly [timezone: string, zone: Zone])[] {
  const counts: unknown = JSON.parse(readFileSync(join(FOLDER, "example-expected-counts.json"), "utf8"));
  if (!hasZones(counts)) throw new TypeError("per_timezone is missing");
  return Object.entries(counts.per_timezone);
}

function hasZones(value: unknown): value is Counts {
  return typeof value === "object" && value !== null && "per_timezone" in value;
}
