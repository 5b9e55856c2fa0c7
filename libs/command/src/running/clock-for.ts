import { messageTime, systemTime } from "@millrace/windowing";
import type { Clock } from "@millrace/windowing";
import type { FlowSettings } from "../options/flow-options.ts";

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
  { choice, meta }: Pick<FlowSettings, "choice" | "meta">,
  keepsResults: boolean,
): Clock<unknown> {
  if (readsStream) return messageTime({ wait: PUBLISH_WAIT_MS });
  const showsCompleteness = choice.kind === "built-in" && choice.flow.showsCompleteness === true;
  return systemTime({ settle: meta || keepsResults || showsCompleteness ? SETTLE_MS : 0 });
}
