import type { Dataflow } from "./dataflow.ts";
import { kindOf } from "./graph.ts";
import type { StepKind } from "./graph.ts";

/** A step as data. */
export interface StepDescription {
  readonly id: string;
  readonly operator: string;
  readonly kind: StepKind;
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
  const steps = flow.graph.nodes.map((node) => {
    const { id, operator, inputs, ports, detail } = node;
    return {
      id,
      operator,
      kind: kindOf(node),
      inputs: inputs.map((from) => ({ step: from.node, port: from.port })),
      ports,
      ...(detail === undefined ? {} : { detail }),
    };
  });
  return { flow: flow.id, steps };
}

/**
 * The description as a Mermaid flowchart, which GitHub and many editors draw. A comment for each window step says when its
 * results are final.
 */
export function toMermaid({ steps }: FlowDescription): string {
  const names = new Map(steps.map(({ id }, index) => [id, `s${index}`]));
  const nodes = steps.map(({ id, operator, kind, ports, detail }) => {
    const [open, close] = kind === "other" && ports.length > 1 ? FORK : SHAPES[kind];
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
  const notes = steps.flatMap(({ id, kind, detail }) =>
    kind === "windows" && detail !== undefined ? [`  %% ${id}: ${detail}`] : [],
  );
  return ["flowchart LR", ...nodes, ...edges, ...notes].join("\n");
}

type Brackets = readonly [open: string, close: string];

const SHAPES: Readonly<Record<StepKind, Brackets>> = {
  input: ["([", "])"],
  decode: ["[", "]"],
  windows: ["[[", "]]"],
  output: ["([", "])"],
  other: ["[", "]"],
};
const FORK: Brackets = ["{", "}"];
