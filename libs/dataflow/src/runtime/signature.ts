import type { Dataflow } from "../dataflow.ts";

const STATELESS = new Set([
  "input",
  "output",
  "decode",
  "map",
  "filter",
  "filterMap",
  "flatMap",
  "inspect",
  "branch",
  "merge",
  "keyBy",
  "mapValues",
  "flatMapValues",
  "mapAsync",
]);

/** What kept state depends on: the flow's version and its steps that keep any. */
export function signatureOf(flow: Dataflow): string {
  const steps = flow.graph.nodes.filter(({ operator }) => !STATELESS.has(operator));
  return [
    `${flow.id} v${flow.options.version ?? 1}`,
    ...steps.map(({ id, operator }) => `${operator} ${id}`),
  ].join(", ");
}
