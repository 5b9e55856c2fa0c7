/**
 * Prints a window's counts as rows, one JSON object a line.
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
