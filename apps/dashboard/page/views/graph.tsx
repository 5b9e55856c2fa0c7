import type { Flow } from "@millrace/observe/api";
import { useMemo } from "preact/hooks";
import { formatRate } from "../format/format.ts";
import { placeFlow, shortName } from "../graph/layout.ts";
import type { PlacedEdge, PlacedStep } from "../graph/layout.ts";
import type { StepCounts, StepEvents } from "../state/model.ts";
import { stepRates } from "../state/select.ts";
import { Panel } from "./panel.tsx";

interface GraphPanelProps {
  readonly flow: Flow;
  readonly counts: readonly StepCounts[];
  readonly narrow: boolean;
}

/** The steps of the flow, and how many events per second take which way. */
export function GraphPanel({ flow, counts, narrow }: GraphPanelProps) {
  const placed = useMemo(() => placeFlow(flow, narrow ? "TB" : "LR"), [flow, narrow]);
  const rates = stepRates(counts);
  return (
    <Panel id="graph" title="Flow" note="events per second at each step">
      <div class="scroll graph" role="region" aria-label="Graph of the flow" tabIndex={0}>
        <svg
          width={placed.width}
          height={placed.height}
          viewBox={`0 0 ${placed.width} ${placed.height}`}
          style={{ minWidth: `${placed.width * 0.75}px` }}
          aria-hidden="true"
          focusable="false"
        >
          {placed.edges.map((edge) => (
            <EdgeLine
              key={`${edge.from} ${edge.port} ${edge.to}`}
              edge={edge}
              rate={rates.get(edge.from)?.out[edge.port]}
            />
          ))}
          {placed.steps.map((step) => (
            <StepBox key={step.step.id} placed={step} rate={rates.get(step.step.id)} />
          ))}
        </svg>
        <ul class="hidden">
          {flow.steps.map(({ id, operator, inputs, detail }) => (
            <li key={id}>
              {`${id} (${operator}${detail === null ? "" : `, ${detail}`})`}
              {inputs.length > 0 &&
                `, after ${inputs.map(({ step, port }) => (port === "down" ? step : `${step}, ${port}`)).join(" and ")}`}
              {`: ${formatRate(rates.get(id)?.in ?? null)} events per second`}
            </li>
          ))}
        </ul>
      </div>
    </Panel>
  );
}

function StepBox({
  placed: { step, x, y, width, height },
  rate,
}: {
  placed: PlacedStep;
  rate: StepEvents | undefined;
}) {
  const { id, operator, kind, detail } = step;
  const round = kind === "input" || kind === "output" ? height / 2 : 8;
  const left = x - width / 2;
  const top = y - height / 2;
  return (
    <g class={`step step-${kind}`}>
      <title>{`${id}: ${operator}${detail === null ? "" : `, ${detail}`}`}</title>
      <rect x={left} y={top} width={width} height={height} rx={round} />
      {kind === "windows" && <rect x={left + 4} y={top + 4} width={width - 8} height={height - 8} rx={5} />}
      <text class="step-name" x={x} y={y - 6}>
        {shortName(id)}
      </text>
      <text class="step-rate" x={x} y={y + 14}>
        {`${formatRate(rate?.in ?? null)}/s`}
        {operator !== id && <tspan class="step-operator">{` ${shortName(operator)}`}</tspan>}
      </text>
    </g>
  );
}

function EdgeLine({ edge: { path, port, x, y }, rate = 0 }: { edge: PlacedEdge; rate: number | undefined }) {
  const width = rate <= 0 ? 1.5 : Math.min(5, 1.5 + Math.log10(1 + rate) * 0.8);
  return (
    <g class={rate > 0 ? "edge edge-flows" : "edge"}>
      <path d={path} style={{ strokeWidth: `${width}px` }} />
      {port !== "down" && (
        <text class="edge-port" x={x} y={y - 4}>
          {port}
        </text>
      )}
      {port !== "down" && (
        <text class="edge-rate" x={x} y={y + 12}>
          {`${formatRate(rate)}/s`}
        </text>
      )}
    </g>
  );
}
