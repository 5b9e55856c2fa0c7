import { DURATION_FORM, messageTime, parseDuration, systemTime } from "@millrace/windowing";
import type { Clock } from "@millrace/windowing";
import type { Transport } from "@millrace/cli";
import type { FlowChoice } from "./flow-choice.ts";

const SYSTEM = /^system(?::([^:]*))?$/s;
const PUBLISH = /^publish(?::([^:]*))?(?::([^:]*))?$/s;
const DEFAULT_WAIT = "1s";
const DEFAULT_MAX_FUTURE = "5m";

/**
 * Reads the value of `--clock`.
 *
 * - `system`: an event's time is that of its arrival. `system:2s`: a closed window waits at most so long for news of
 *   all producers, so that its row can say whether it is complete.
 * - `publish:2s`: an event's time is that at which it was published; windows wait so long for others (by default 1 s).
 *   `publish:2s:10m`: an event from more than 10 minutes ahead is refused (by default 5 minutes; `unbounded`: none is).
 *
 * @throws RangeError, DurationError that says what is wanted
 */
export function parseClock(text: string): Clock<unknown> {
  const system = SYSTEM.exec(text);
  if (system !== null) return systemTime({ settle: parseDuration(system[1] ?? "0ms", 0) });
  const publish = PUBLISH.exec(text);
  if (publish !== null) {
    const [, wait = DEFAULT_WAIT, future = DEFAULT_MAX_FUTURE] = publish;
    const maxFuture = future === "unbounded" ? future : parseDuration(future, 0);
    return messageTime({ wait: parseDuration(wait, 0), maxFuture });
  }
  throw new RangeError(
    `${JSON.stringify(text)} is not a clock: give system, system:<settle>, publish, publish:<wait> or ` +
      `publish:<wait>:<max future>, ${DURATION_FORM}; the max future may also be unbounded`,
  );
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
 * @param keepsResults whether rows go to Redis, with their completeness
 */
export function clockFor(
  transport: Transport,
  { choice, meta }: { readonly choice: FlowChoice; readonly meta: boolean },
  keepsResults: boolean,
): Clock<unknown> {
  if (transport === "stream") return messageTime({ wait: PUBLISH_WAIT_MS });
  const isAudience = choice.kind === "built-in" && choice.name === "audience";
  return systemTime({ settle: meta || keepsResults || isAudience ? SETTLE_MS : 0 });
}
