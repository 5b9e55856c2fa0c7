import type { ClickEvent } from "@millrace/event-schema";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./contenders.ts";

/** Mobile events by time zone, over all windows: the same for every correct count. */
type Counts = Map<string, number>;

/** The rows of `mobile-counts` in some lines of output, one JSON object a line. */
function countsOf(lines: Iterable<string>): Counts {
  const counts: Counts = new Map();
  for (const line of lines) {
    const row = JSON.parse(line) as { readonly timezone: string; readonly num_mobile_users: number };
    counts.set(row.timezone, (counts.get(row.timezone) ?? 0) + row.num_mobile_users);
  }
  return counts;
}

/** What the first events of the publisher come to, for each of the given numbers of them, all together. */
function expectedCounts(publications: readonly number[]): Counts {
  const lines = eventLines();
  const counts: Counts = new Map();
  lines.forEach((line, index) => {
    const { os_timezone: zone, device_is_mobile: mobile } = JSON.parse(line) as ClickEvent;
    for (const events of publications) {
      const times = Math.floor(events / lines.length) + (index < events % lines.length ? 1 : 0);
      counts.set(zone, (counts.get(zone) ?? 0) + Number(mobile) * times);
    }
  });
  return counts;
}

/** What is wrong with the rows of some publications, for people; undefined: nothing. A zone that counts 0 may be left out. */
export function wrongCount(publications: readonly number[], rows: Iterable<string>): string | undefined {
  const [found, expected] = [countsOf(rows), expectedCounts(publications)];
  for (const zone of new Set([...found.keys(), ...expected.keys()])) {
    const [is, should] = [found.get(zone) ?? 0, expected.get(zone) ?? 0];
    if (is !== should) return `${zone} has ${is} mobile events instead of ${should}`;
  }
  return undefined;
}

/** The lines that the publisher makes its events of. */
export function eventLines(): readonly string[] {
  return readFileSync(join(ROOT, "data/events.jsonl"), "utf8").trimEnd().split("\n");
}
