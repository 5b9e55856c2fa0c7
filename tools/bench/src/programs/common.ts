import type { ClickEvent } from "@millrace/event-schema";

/**
 * The usual hand-written loop: parse the line, find the window by floor division of the time, add to the window's Map.
 * It checks nothing. It prints a window's rows when its time is over.
 */
export function lineCounter(windowMs: number): (line: string) => void {
  const windows = new Map<number, Map<string, number>>();
  return (line) => {
    const click = JSON.parse(line) as ClickEvent;
    const now = Date.now();
    const id = Math.floor(now / windowMs);
    let counts = windows.get(id);
    if (counts === undefined) {
      counts = new Map();
      windows.set(id, counts);
      setTimeout(close, (id + 1) * windowMs - now, id);
    }
    counts.set(click.os_timezone, (counts.get(click.os_timezone) ?? 0) + Number(click.device_is_mobile));
  };

  function close(id: number): void {
    printRows(windows.get(id) ?? new Map<string, number>(), (id + 1) * windowMs);
    windows.delete(id);
  }
}

/**
 * Prints the counts of a window as rows, one JSON object a line.
 *
 * @param close when the window ended, ms since the epoch
 */
export function printRows(counts: ReadonlyMap<string, number>, close: number): void {
  let text = "";
  for (const [timezone, count] of counts) {
    text += `${JSON.stringify({ timezone, num_mobile_users: count, window: { close } })}\n`;
  }
  process.stdout.write(text);
}

/** Ends this program when the program that started it ends for any reason. */
export function endWithParent(): void {
  process.on("disconnect", () => process.exit());
  process.on("SIGTERM", () => process.exit());
}
