import { parser } from "@prometheus-io/lezer-promql";

/** What a query reads. */
export interface Query {
  /** Each selector: a metric with the labels that it is filtered by. */
  readonly selectors: readonly { readonly metric: string; readonly labels: readonly string[] }[];
  /** Labels in `by (…)`, `on (…)` and the like. */
  readonly grouping: readonly string[];
}

/** Reads a query. @throws Error if it is not PromQL */
export function readQuery(text: string): Query {
  const selectors: { readonly metric: string; readonly labels: string[] }[] = [];
  const grouping: string[] = [];
  parser.parse(text).iterate({
    enter({ type, from, to, node }) {
      const found = text.slice(from, to);
      if (type.isError) throw new Error(`${text}: not PromQL at character ${from}`);
      if (type.name === "VectorSelector") selectors.push({ metric: "", labels: [] });
      else if (type.name === "Identifier" && node.parent?.name === "VectorSelector") {
        selectors.push({ metric: found, labels: selectors.pop()?.labels ?? [] });
      } else if (type.name === "LabelName") {
        if (node.parent?.name === "GroupingLabels") grouping.push(found);
        else selectors.at(-1)?.labels.push(found);
      }
    },
  });
  return { selectors, grouping };
}
