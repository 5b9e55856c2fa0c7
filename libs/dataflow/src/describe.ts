import type { Dataflow } from "./dataflow.ts";

/** A step as data. */
export interface StepDescription {
  readonly id: string;
  readonly operator: string;
  /** Its inputs: step and port. */
  readonly inputs: readonly { readonly step: string; readonly port: string }[];
  readonly ports: readonly string[];
  /** What the operator states: the key's field, or when a window's results are final. */
  readonly detail?: string;
}

/** A flow as data: its steps in topological order. */
export interface FlowDescription {
  readonly flow: string;
  readonly steps: readonly StepDescription[];
}

/** Describes the steps of a flow, without running it. */
export function describe(flow: Dataflow): FlowDescription {
  const steps = flow.graph.nodes.map(({ id, operator, inputs, ports, detail }) => ({
    id,
    operator,
    inputs: inputs.map(({ node, port }) => ({ step: node, port })),
    ports,
    ...(detail === undefined ? {} : { detail }),
  }));
  return { flow: flow.id, steps };
}

/** The description as a Mermaid flowchart, which GitHub and many editors draw. */
export function toMermaid({ steps }: FlowDescription): string {
  const names = new Map(steps.map(({ id }, index) => [id, `s${index}`]));
  const nodes = steps.map(({ id, operator, detail }) => {
    const [open, close] = SHAPES[operator] ?? ["[", "]"];
    // A step without a name uses its operator's; the detail of a keyBy is one word, the field.
    const note = operator === "keyBy" && detail !== undefined ? `${operator} ${detail}` : operator;
    const label = id === operator && note === operator ? id : `${id}<br/><i>${note}</i>`;
    return `  ${names.get(id) ?? id}${open}"${label}"${close}`;
  });
  const edges = steps.flatMap(({ id, inputs }) =>
    inputs.map(({ step, port }) => {
      const label = port === "down" ? "" : `|${port}|`;
      return `  ${names.get(step) ?? step} -->${label} ${names.get(id) ?? id}`;
    }),
  );
  return ["flowchart LR", ...nodes, ...edges].join("\n");
}

const SHAPES: Readonly<Record<string, readonly [open: string, close: string]>> = {
  input: ["([", "])"],
  output: ["([", "])"],
  window: ["[[", "]]"],
  branch: ["{", "}"],
};
