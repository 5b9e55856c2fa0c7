import { setTimeout as delay } from "node:timers/promises";
import type { Tally } from "./tally.ts";

/** Long enough for a window that is still open, and for a waiting time behind it. */
const TIMEOUT_MS = 15_000;
const POLL_MS = 50;

/**
 * Resolves when somebody's rows come to what is expected.
 *
 * @throws Error where they never do: a figure for a wrong result is none
 */
export async function allCounted(
  name: string,
  expected: Tally,
  tally: () => Promise<Tally> | Tally,
): Promise<void> {
  for (const deadline = performance.now() + TIMEOUT_MS; ;) {
    const found = (await tally()).differenceTo(expected);
    if (found === undefined) return;
    if (performance.now() > deadline) throw new Error(`The rows of ${name} do not add up: ${found}.`);
    await delay(POLL_MS);
  }
}
