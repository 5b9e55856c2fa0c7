import { readFileSync } from "node:fs";
import type { ClickEvent } from "@millrace/event-schema";
import { EVENTS_FILE } from "./paths.ts";

/** A row of `mobile-counts`, whoever made it. */
export interface CountRow {
  readonly timezone: string;
  readonly num_mobile_users: number;
}

/** Mobile events by time zone, over all windows: whoever counted right comes to the same. */
export class Tally {
  readonly #counts = new Map<string, number>();

  add({ timezone, num_mobile_users: count }: CountRow): void {
    this.#counts.set(timezone, (this.#counts.get(timezone) ?? 0) + count);
  }

  /** What differs from `expected`, for people; undefined: nothing. A zone that counts 0 may be left out. */
  differenceTo(expected: Tally): string | undefined {
    const zones = new Set([...this.#counts.keys(), ...expected.#counts.keys()]);
    for (const zone of zones) {
      const [is, should] = [this.#counts.get(zone) ?? 0, expected.#counts.get(zone) ?? 0];
      if (is !== should) return `${zone} has ${is} mobile events instead of ${should}`;
    }
    return undefined;
  }
}

/** The rows in some lines of output, one JSON object a line. */
export function tallyOf(lines: Iterable<string>): Tally {
  const tally = new Tally();
  for (const line of lines) tally.add(JSON.parse(line) as CountRow);
  return tally;
}

/** The lines that the publisher makes its events of. */
export function eventLines(): readonly string[] {
  return readFileSync(EVENTS_FILE, "utf8").trimEnd().split("\n");
}

/** What the publisher's first `events` events come to, for each of the given numbers of them, all together. */
export function expectedTally(publications: readonly number[]): Tally {
  const lines = eventLines();
  const tally = new Tally();
  lines.forEach((line, index) => {
    const { os_timezone: timezone, device_is_mobile: mobile } = JSON.parse(line) as ClickEvent;
    for (const events of publications) {
      const times = Math.floor(events / lines.length) + (index < events % lines.length ? 1 : 0);
      tally.add({ timezone, num_mobile_users: Number(mobile) * times });
    }
  });
  return tally;
}
