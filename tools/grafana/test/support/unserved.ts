import { readQuery } from "./promql.ts";
import type { ServedMetrics } from "./served-metrics.ts";

/** Metrics and labels that Prometheus itself makes. */
const OF_PROMETHEUS = new Map([
  ["up", ["job", "instance"]],
  ["ALERTS", ["alertname", "alertstate", "flow", "part"]],
]);
const TARGET_LABELS = ["job", "instance"];

/**
 * What a query reads and no program serves: metrics, and labels that none of its metrics has.
 *
 * @param shown labels that texts beside the query show
 * @throws Error if it is not PromQL
 */
export function unserved(served: ServedMetrics, query: string, shown: readonly string[] = []): string[] {
  const { selectors, grouping } = readQuery(query);
  const known = new Set(TARGET_LABELS);
  const missing: string[] = [];
  for (const { metric, labels } of selectors) {
    const has = OF_PROMETHEUS.get(metric) ?? served.get(metric);
    if (has === undefined) missing.push(metric);
    const own = new Set([...(has ?? []), ...TARGET_LABELS]);
    for (const label of own) known.add(label);
    for (const label of labels) if (!own.has(label)) missing.push(`${metric}{${label}}`);
  }
  for (const label of [...grouping, ...shown]) if (!known.has(label)) missing.push(`label ${label}`);
  return missing;
}
