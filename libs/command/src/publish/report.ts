import { reconcile } from "@millrace/dataflow";
import type { FlowStats, Logger } from "@millrace/dataflow";
import type { SinkFigures } from "./sink-of.ts";

/** What a report is about. */
export interface ReportContext {
  readonly elapsedMs: number;
  /** Whether events have numbers, by which duplicates are recognised. */
  readonly numbered: boolean;
  /** @default "Redis" */
  readonly to?: "Redis" | "Kafka";
}

/**
 * Logs the final report: how many events were published, how fast, how many were not sent and how many had no subscriber.
 */
export function report(
  logger: Logger,
  flow: FlowStats,
  sent: SinkFigures,
  { elapsedMs, numbered, to = "Redis" }: ReportContext,
): void {
  const { received, malformed: refused } = reconcile(flow);
  const { published, unheard = 0, resent, unsent } = sent;
  const seconds = Number((elapsedMs / 1_000).toFixed(3));
  const perSecond = Math.round((published * 1_000) / Math.max(elapsedMs, 1));
  const missing =
    unsent === 0
      ? ""
      : `; ${unsent} of ${received} events were not sent: ${to} did not accept them before the end`;
  logger[unsent === 0 ? "info" : "error"](
    { event: "report", read: received, refused, ...sent, seconds, perSecond },
    `published ${published} events in ${seconds} s, ${perSecond}/s${missing}`,
  );
  if (unheard > 0) {
    logger.warn(
      { event: "unheard", unheard },
      `${unheard} of ${published} events were published without a subscriber; they are lost`,
    );
  }
  if (resent > 0 && numbered) {
    logger.info(
      { event: "resent", resent },
      `${resent} events were sent again after a lost connection; ${to === "Kafka" ? "the brokers" : "readers"} drop duplicates by their numbers`,
    );
  } else if (resent > 0) {
    logger.warn(
      { event: "resent", resent },
      `${resent} events were sent again after a lost connection; they have no numbers, so a reader may have received them twice`,
    );
  }
  if (refused > 0)
    logger.warn({ event: "refused", refused }, `${refused} lines were too long, and were not published`);
}
