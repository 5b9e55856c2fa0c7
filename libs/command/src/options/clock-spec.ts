import {
  DURATION_FORM,
  eventTime,
  messageTime,
  parseDuration,
  systemTime,
} from "@millrace/windowing/options";
import type { Clock, Timestamp, WaitOptions } from "@millrace/windowing";
import type { FlowChoice } from "../flows/flow-choice.ts";

const SYSTEM = /^system(?::([^:]*))?$/s;
const PUBLISH = /^publish(?::([^:]*))?(?::([^:]*))?$/s;
const EVENT = /^(event|event-seconds):([^:]+)(?::([^:]*))?(?::([^:]*))?$/s;

const TIME_FIELDS = new WeakMap<Clock<unknown>, string>();

/** The path of the field that a clock reads; `undefined`: none, or a clock that `--clock` has not made. */
export function timeFieldOf(clock: Clock<unknown>): string | undefined {
  return TIME_FIELDS.get(clock);
}

/**
 * Reads the value of `--clock`.
 *
 * - `system`: an event's time is that of its arrival. `system:2s`: a closed window waits at most so long for news of
 *   all producers, so that its row can say whether it is complete.
 * - `publish:2s`: an event's time is that at which it was published; windows wait so long for others (by default 1 s).
 *   `publish:2s:10m`: an event from more than 10 minutes ahead is refused (by default 5 minutes; `unbounded`: none is).
 * - `event:at`, `event:order.at:2s:10m`: an event's time is in this field, as milliseconds since the epoch or as ISO 8601
 *   text with its zone. `event-seconds:at`: as seconds since the epoch. Numbers may be texts of digits.
 *
 * @throws RangeError, DurationError that says what is wanted
 */
export function parseClock(text: string): Clock<unknown> {
  const system = SYSTEM.exec(text);
  if (system !== null) return systemTime({ settle: parseDuration(system[1] ?? "0ms", 0) });
  const publish = PUBLISH.exec(text);
  if (publish !== null) return messageTime(waitOptions(publish[1], publish[2]));
  const event = EVENT.exec(text);
  if (event !== null) {
    const [, kind, path = "", wait, maxFuture] = event;
    const unit = kind === "event-seconds" ? "s" : "ms";
    const clock = eventTime(timeAt(path.split(".")), { unit, ...waitOptions(wait, maxFuture) });
    TIME_FIELDS.set(clock, path);
    return clock;
  }
  throw new RangeError(
    `${JSON.stringify(text)} is not a clock: give system, system:<settle>, publish, event:<field> or event-seconds:<field>. ` +
      `:<wait> or :<wait>:<max future> may follow the last three, ${DURATION_FORM}; the max future may also be unbounded`,
  );
}

function waitOptions(wait = "1s", maxFuture = "5m"): WaitOptions {
  return {
    wait: parseDuration(wait, 0),
    maxFuture: maxFuture === "unbounded" ? maxFuture : parseDuration(maxFuture, 0),
  };
}

/** Reads the field that a path leads to; the clock refuses the event if that is no time. */
function timeAt(path: readonly string[]): (event: unknown) => Timestamp {
  return (event) => {
    let value = event;
    for (const name of path) {
      value = typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
    }
    return isTimestamp(value) ? value : Number.NaN;
  };
}

function isTimestamp(value: unknown): value is Timestamp {
  return typeof value === "number" || typeof value === "string" || value instanceof Date;
}

/** How long windows wait for events that were published on time and came out of order. */
const PUBLISH_WAIT_MS = 1_000;
/**
 * How long windows on the system clock wait for the next heartbeats, where rows show whether they are complete: each
 * publisher sends one a second.
 */
const SETTLE_MS = 1_500;

/**
 * The clock of a flow without `--clock`. Entries of a stream may be read long after they came, so there the time of
 * publishing counts.
 *
 * @param readsStream whether events are entries of a stream
 * @param keepsResults whether rows go to Redis, with their completeness
 */
export function clockFor(
  readsStream: boolean,
  { choice, meta }: { readonly choice: FlowChoice; readonly meta: boolean },
  keepsResults: boolean,
): Clock<unknown> {
  if (readsStream) return messageTime({ wait: PUBLISH_WAIT_MS });
  const showsCompleteness = choice.kind === "built-in" && choice.flow.showsCompleteness === true;
  return systemTime({ settle: meta || keepsResults || showsCompleteness ? SETTLE_MS : 0 });
}
