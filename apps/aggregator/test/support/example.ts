import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const FOLDER = join(import.meta.dirname, "../../../../../shared/data");

/** The tutorial's events, where they lie beside the repository. */
export const EXAMPLE_EVENTS: string = join(FOLDER, "example-events.jsonl");

/** Whether they do. */
export const hasExample: boolean = existsSync(EXAMPLE_EVENTS);

/** Mobile events by time zone in all of them, as the rows of one window, in order of time zones. */
export function expectedRows(): readonly string[] {
  const counts: unknown = JSON.parse(readFileSync(join(FOLDER, "example-expected-counts.json"), "utf8"));
  if (!hasZones(counts)) throw new TypeError("per_timezone is missing");
  return Object.entries(counts.per_timezone)
    .map(([timezone, { mobile_events }]) => JSON.stringify({ timezone, num_mobile_users: mobile_events }))
    .sort();
}

interface Counts {
  readonly per_timezone: Readonly<Record<string, { readonly mobile_events: number }>>;
}

function hasZones(value: unknown): value is Counts {
  return typeof value === "object" && value !== null && "per_timezone" in value;
}
