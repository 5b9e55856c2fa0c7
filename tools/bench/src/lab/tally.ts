import type { ClickEvent } from "@millrace/event-schema";
import { readFileSync } from "node:fs";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The project's own folder; as far up from the build as from the source. */
export const ROOT: string = join(import.meta.dirname, "../../../..");

/** Length of all windows: short enough to close soon after the last event. */
export const WINDOW_MS = 1_000;

/** The lines that the publisher makes its events of. */
export function eventLines(): readonly string[] {
  return readFileSync(join(ROOT, "data/events.jsonl"), "utf8").trimEnd().split("\n");
}

/** Makes a file of as many events, the lines in turn, for as long as it is used. */
export async function withEventsFile<T>(events: number, use: (path: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "millrace-bench-"));
  const path = join(folder, "events.jsonl");
  try {
    const lines = eventLines().map((line) => `${line}\n`);
    const file = await open(path, "w");
    for (let left = events; left > 0; left -= lines.length) {
      await file.write(lines.slice(0, left).join(""));
    }
    // What is written later would be charged to the program that reads it.
    await file.sync();
    await file.close();
    return await use(path);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/**
 * What is wrong with the rows of `mobile-counts`, all windows together, for people; `undefined`: nothing. A zone that counts
 * 0 may be left out.
 *
 * @param publications how many events the publisher made, each time beginning with the first line
 */
export function wrongCount(publications: readonly number[], rows: Iterable<string>): string | undefined {
  const surplus = new Map<string, number>();
  const add = (zone: string, more: number): unknown => surplus.set(zone, (surplus.get(zone) ?? 0) + more);
  for (const line of rows) {
    const row = JSON.parse(line) as { readonly timezone: string; readonly num_mobile_users: number };
    add(row.timezone, row.num_mobile_users);
  }
  eventLines().forEach((line, index, { length }) => {
    const click = JSON.parse(line) as ClickEvent;
    const times = publications.map((events) => Math.floor(events / length) + Number(index < events % length));
    for (const each of times) add(click.os_timezone, -Number(click.device_is_mobile) * each);
  });
  const wrong = [...surplus].find(([, more]) => more !== 0);
  return wrong && `${wrong[0]} has ${wrong[1]} mobile events more than were published`;
}
