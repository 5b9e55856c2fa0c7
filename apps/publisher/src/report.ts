import { reconcile } from "@millrace/dataflow";
import type { FlowStats, Logger } from "@millrace/dataflow";
import type { SinkFigures } from "./sink-of.ts";

/**
 * Says at the end how many lines went out, how fast, which were not sent and which did not reach anybody.
 *
 * @param numbered by their numbers readers drop what they get twice
 */
export function report(
  logger: Logger,
  flow: FlowStats,
  sent: SinkFigures,
  { elapsedMs, numbered }: { readonly elapsedMs: number; readonly numbered: boolean },
): void {
  const { received, malformed: refused } = reconcile(flow);
  const { published, unheard = 0, resent, unsent } = sent;
  const seconds = Number((elapsedMs / 1_000).toFixed(3));
  const perSecond = Math.round((published * 1_000) / Math.max(elapsedMs, 1));
  const missing =
    unsent === 0
      ? ""
      : `; ${unsent} of ${received} events were not sent: Redis did not take them before the end`;
  logger[unsent === 0 ? "info" : "error"](
    { event: "report", read: received, refused, ...sent, seconds, perSecond },
    `published ${published} events in ${seconds} s, ${perSecond}/s${missing}`,
  );
  if (unheard > 0) {
    logger.warn(
      { event: "unheard", unheard },
      `nobody was subscribed when ${unheard} of ${published} events were published; they are gone`,
    );
  }
  if (resent > 0 && numbered) {
    logger.info(
      { event: "resent", resent },
      `${resent} events were sent again after a lost connection; by their numbers readers drop what they have`,
    );
  } else if (resent > 0) {
    logger.warn(
      { event: "resent", resent },
      `${resent} events were sent again after a lost connection; without numbers a reader may have got them twice`,
    );
  }
  if (refused > 0)
    logger.warn({ event: "refused", refused }, `${refused} lines were too long and were not published`);
}
