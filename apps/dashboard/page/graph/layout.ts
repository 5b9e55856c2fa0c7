import { Graph, layout } from "@dagrejs/dagre";
import type { EdgeLabel, GraphLabel, NodeLabel, Point } from "@dagrejs/dagre";
import type { Flow, Step } from "@millrace/observe/api";

export interface PlacedStep {
  readonly step: Step;
  /** Of the middle. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface PlacedEdge {
  readonly from: string;
  readonly port: string;
  readonly to: string;
  /** An SVG path. */
  readonly path: string;
  /** Where its label is. */
  readonly x: number;
  readonly y: number;
}

export interface PlacedFlow {
  readonly width: number;
  readonly height: number;
  readonly steps: readonly PlacedStep[];
  readonly edges: readonly PlacedEdge[];
}

const MAX_NAME = 26;
const HEIGHT = 60;

/** A name that fits its box. */
export function shortName(name: string): string {
  return name.length > MAX_NAME ? `${name.slice(0, MAX_NAME - 1)}…` : name;
}

/** The name in 14 px, bold; a rate and the operator in 12 px. */
function widthOf(id: string, operator: string): number {
  const [name, below] = [shortName(id).length * 9, (shortName(operator).length + 8) * 7];
  return Math.max(name, below, 84) + 28;
}

/** Places the steps of a flow, from left to right or from top to bottom. */
export function placeFlow({ steps }: Flow, direction: "LR" | "TB"): PlacedFlow {
  const graph = new Graph<GraphLabel, NodeLabel, EdgeLabel>({ multigraph: true });
  graph.setGraph({ rankdir: direction, nodesep: 28, ranksep: 44, edgesep: 16, marginx: 4, marginy: 4 });
  for (const { id, operator } of steps) {
    graph.setNode(id, { width: widthOf(id, operator), height: HEIGHT });
  }
  for (const { id, inputs } of steps) {
    for (const { step, port } of inputs) {
      const label = port === "down" ? { width: 1, height: 1 } : { width: 56, height: 32 };
      graph.setEdge(step, id, { ...label, labelpos: "c" }, port);
    }
  }
  layout(graph);
  const placed = steps.map((step) => {
    const { x = 0, y = 0, width, height } = graph.node(step.id);
    return { step, x, y, width, height };
  });
  const edges = graph.edges().map((edge) => {
    const { points = [], x = 0, y = 0 } = graph.edge(edge);
    return { from: edge.v, port: edge.name ?? "down", to: edge.w, path: smooth(points), x, y };
  });
  const { width = 0, height = 0 } = graph.graph();
  return { width, height, steps: placed, edges };
}

/** A line through the points, with round corners. */
function smooth(points: readonly Point[]): string {
  const [first, ...rest] = points;
  if (first === undefined) return "";
  const last = rest.at(-1) ?? first;
  const curves = rest.slice(0, -1).map((point, i) => {
    const next = rest[i + 1] ?? last;
    const [x, y] =
      i === rest.length - 2 ? [next.x, next.y] : [(point.x + next.x) / 2, (point.y + next.y) / 2];
    return `Q${round(point.x)} ${round(point.y)} ${round(x)} ${round(y)}`;
  });
  const end = curves.length === 0 ? `L${round(last.x)} ${round(last.y)}` : "";
  return `M${round(first.x)} ${round(first.y)}${curves.join("")}${end}`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
