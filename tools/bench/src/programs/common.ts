import type { ClickEvent } from "@millrace/event-schema";
import { WINDOW_MS } from "../lab/tally.ts";

/* A program that imports this ends when the program that started it ends for any reason. */
process.on("disconnect", () => process.exit());

/**
 * The usual hand-written loop: parse the line, find the window by floor division of the time, add to the window's Map.
 * It checks nothing. It prints a window's rows when its time is over.
 */
export function lineCounter(): (line: string) => void {
  const windows = new Map<number, Map<string, number>>();
  return (line) => {
    const click = JSON.parse(line) as ClickEvent;
    const now = Date.now();
    const id = Math.floor(now / WINDOW_MS);
    let counts = windows.get(id);
    if (counts === undefined) {
      counts = new Map();
      windows.set(id, counts);
      setTimeout(close, (id + 1) * WINDOW_MS - now, id, counts);
    }
    counts.set(click.os_timezone, (counts.get(click.os_timezone) ?? 0) + Number(click.device_is_mobile));
  };

  function close(id: number, counts: ReadonlyMap<string, number>): void {
    windows.delete(id);
    printRows(counts);
  }
}

/** The same for a frame: all its lines but the first one, which is the header. */
export function frameCounter(): (frame: string) => void {
  const count = lineCounter();
  return (frame) => {
    const lines = frame.split("\n");
    for (let i = 1; i < lines.length; i++) count(lines[i] ?? "");
  };
}

/** Prints the counts of a window as rows, one JSON object a line. */
export function printRows(counts: ReadonlyMap<string, number>): void {
  const rows = Array.from(counts, ([timezone, count]) =>
    JSON.stringify({ timezone, num_mobile_users: count }),
  );
  process.stdout.write(rows.map((row) => `${row}\n`).join(""));
}
