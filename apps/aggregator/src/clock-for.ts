import type { Transport } from "@millrace/cli";
import { messageTime, systemTime } from "@millrace/windowing";
import type { Clock } from "@millrace/windowing";
import type { FlowSettings } from "./flow-options.ts";

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
  { choice, meta }: Pick<FlowSettings, "choice" | "meta">,
  keepsResults: boolean,
): Clock<unknown> {
  if (transport === "stream") return messageTime({ wait: PUBLISH_WAIT_MS });
  const isAudience = choice.kind === "built-in" && choice.name === "audience";
  return systemTime({ settle: meta || keepsResults || isAudience ? SETTLE_MS : 0 });
}
