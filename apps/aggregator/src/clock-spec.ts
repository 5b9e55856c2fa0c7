import { DURATION_FORM, parseDuration } from "@millrace/cli";
import { EventClock, SystemClock } from "@millrace/windowing";
import type { Clock } from "@millrace/windowing";

const PUBLISH = /^publish(?::(.*))?$/s;
const DEFAULT_WAIT = "1s";

/**
 * Reads the value of `--clock`: `system` (an event's time is that of its arrival), or `publish:2s` (that at which it was
 * published, with so long a wait for others; 1 s unless told).
 *
 * @throws RangeError that says what is wanted
 */
export function parseClock(text: string): Clock<unknown> {
  if (text === "system") return new SystemClock();
  const publish = PUBLISH.exec(text);
  if (publish !== null) return new EventClock({ waitMs: parseDuration(publish[1] ?? DEFAULT_WAIT, 0) });
  throw new RangeError(
    `${JSON.stringify(text)} is not a clock: give system, publish or publish:<wait>, ${DURATION_FORM}`,
  );
}
