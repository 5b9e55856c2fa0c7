import type { LogLine } from "@millrace/local-redis/programs";

/** The number of events at each stage, from the publisher's file to the aggregator's windows. */
export interface Reconciliation {
  /** Accepted by Redis. */
  readonly published: number;
  readonly received: number;
  readonly decoded: number;
  readonly malformed: number;
  readonly blank: number;
  readonly counted: number;
  readonly late: number;
  /** Known to be lost: published without a subscriber, or missed by the aggregator's source. */
  readonly lost: number;
  /** In none of the other counts: not 0 is a defect. */
  readonly unaccounted: number;
}

/** Compares the reports of the two programs. Only `unaccounted` is computed, all other counts are measured. */
export function reconcileReports(publisher: LogLine, aggregator: LogLine): Reconciliation {
  const published = figure(publisher, "published");
  const received = figure(aggregator, "received");
  const lost = figure(publisher, "unheard") + figure(aggregator, "lost");
  return {
    published,
    received,
    decoded: figure(aggregator, "decoded"),
    malformed: figure(aggregator, "malformed"),
    blank: figure(aggregator, "blank"),
    counted: figure(aggregator, "counted"),
    late: figure(aggregator, "late"),
    lost,
    unaccounted: Math.abs(published - lost - received) + figure(aggregator, "unaccounted"),
  };
}

function figure(report: LogLine, name: string): number {
  const value = report[name];
  if (typeof value !== "number") throw new TypeError(`the report has no number "${name}"`);
  return value;
}
