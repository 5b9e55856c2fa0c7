import type { ClickEvent } from "@millrace/event-schema";
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { join } from "node:path";
import { ROOT } from "./programs.ts";

/** A row of `mobile-counts`, from any contender. */
interface CountRow {
  readonly timezone: string;
  readonly num_mobile_users: number;
}

/** Mobile events by time zone, over all windows: the same for every correct count. */
export class Tally {
  readonly #counts = new Map<string, number>();

  /** The rows in some lines of output, one JSON object a line. */
  static of(lines: Iterable<string>): Tally {
    const tally = new Tally();
    for (const line of lines) tally.add(JSON.parse(line) as CountRow);
    return tally;
  }

  /** What the first events of the publisher come to, for each of the given numbers of them, all together. */
  static expected(publications: readonly number[]): Tally {
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

  add({ timezone, num_mobile_users: count }: CountRow): void {
    this.#counts.set(timezone, (this.#counts.get(timezone) ?? 0) + count);
  }

  /** What differs from `expected`, for people; undefined: nothing. A zone that counts 0 may be left out. */
  differenceTo(expected: Tally): string | undefined {
    for (const zone of new Set([...this.#counts.keys(), ...expected.#counts.keys()])) {
      const [is, should] = [this.#counts.get(zone) ?? 0, expected.#counts.get(zone) ?? 0];
      if (is !== should) return `${zone} has ${is} mobile events instead of ${should}`;
    }
    return undefined;
  }
}

/** Rows by zone and window, each once, however often they are read: Redis drops them before the end of a soak. */
export class LatestRows {
  readonly #lines = new Map<string, string>();

  add(...lines: readonly string[]): void {
    for (const line of lines) {
      const { timezone, window } = JSON.parse(line) as CountRow & {
        readonly window: { readonly open: number };
      };
      this.#lines.set(`${window.open} ${timezone}`, line);
    }
  }

  get lines(): Iterable<string> {
    return this.#lines.values();
  }
}

/** The lines that the publisher makes its events of. */
export function eventLines(): readonly string[] {
  return readFileSync(join(ROOT, "data/events.jsonl"), "utf8").trimEnd().split("\n");
}

/** Long enough for a window that is still open, and for its waiting time. */
const TIMEOUT_MS = 15_000;
const POLL_MS = 50;

/**
 * Resolves when the rows of a contender are complete.
 *
 * @throws Error if they do not add up: a wrong result must not have a measurement
 */
export async function allCounted(
  name: string,
  publications: readonly number[],
  rows: () => Promise<Iterable<string>>,
): Promise<void> {
  const expected = Tally.expected(publications);
  for (const deadline = performance.now() + TIMEOUT_MS; ;) {
    const found = Tally.of(await rows()).differenceTo(expected);
    if (found === undefined) return;
    if (performance.now() > deadline) throw new Error(`The rows of ${name} do not add up: ${found}.`);
    await delay(POLL_MS);
  }
}
