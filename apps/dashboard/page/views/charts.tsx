import type { Sample } from "@millrace/observe/api";
import { useEffect, useMemo, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { formatDuration, formatRate } from "../format/format.ts";
import type { Theme } from "../state/model.ts";
import { recentRate, seriesOf } from "../state/select.ts";
import { Empty, Panel } from "./panel.tsx";

/** Two of the theme's colours; a dashed line as well, so that series differ without colours. */
interface Line {
  readonly name: string;
  readonly values: readonly (number | null)[];
  readonly color: "--accent" | "--second";
  /** What the legend says. */
  readonly now: number | null;
}

/** How events come and rows leave, and how far the flow is from now. */
export function ChartsPanels({ samples, theme }: { samples: readonly Sample[]; theme: Theme }) {
  const series = useMemo(() => seriesOf(samples), [samples]);
  const last = samples.at(-1);
  const timed = [...series.lagMs, ...series.watermarkAgeMs].some((value) => value !== null);
  return (
    <>
      <Panel id="throughput" title="Events and rows per second">
        {samples.length < 2 ? (
          <Empty title="Two seconds of data are needed" />
        ) : (
          <Chart
            at={series.at}
            lines={[
              {
                name: "events in",
                values: series.received,
                color: "--accent",
                now: recentRate(samples, ({ received }) => received),
              },
              {
                name: "rows out",
                values: series.rowsOut,
                color: "--second",
                now: recentRate(samples, ({ rowsOut }) => rowsOut),
              },
            ]}
            format={formatRate}
            unit="/s"
            theme={theme}
          />
        )}
      </Panel>
      <Panel id="lag" title="Lag and watermark age">
        {!timed ? (
          <Empty title="No times yet">They come with the first events.</Empty>
        ) : (
          <Chart
            at={series.at}
            lines={[
              { name: "lag", values: series.lagMs, color: "--accent", now: last?.lagMs ?? null },
              {
                name: "watermark age",
                values: series.watermarkAgeMs,
                color: "--second",
                now: last?.watermarkAgeMs ?? null,
              },
            ]}
            format={formatDuration}
            unit=""
            theme={theme}
          />
        )}
      </Panel>
    </>
  );
}

interface ChartProps {
  readonly at: readonly number[];
  readonly lines: readonly Line[];
  readonly format: (value: number | null) => string;
  readonly unit: string;
  readonly theme: Theme;
}

const HEIGHT = 200;

function Chart({ at, lines, format, unit, theme }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const data: uPlot.AlignedData = [[...at], ...lines.map(({ values }) => [...values])];
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const drawn = new uPlot(optionsOf(element, lines, format), data, element);
    plot.current = drawn;
    const resized = new ResizeObserver(() => {
      if (element.clientWidth > 0) drawn.setSize({ width: element.clientWidth, height: HEIGHT });
    });
    resized.observe(element);
    return () => {
      resized.disconnect();
      drawn.destroy();
      plot.current = null;
    };
  }, [theme]);
  useEffect(() => {
    plot.current?.setData(data);
  }, [at]);
  const now = lines.map(({ name, color, now: value }) => ({ name, color, value: format(value) }));
  return (
    <>
      <ul class="legend">
        {now.map(({ name, color, value }) => (
          <li key={name} class={color === "--accent" ? "legend-first" : "legend-second"}>
            {name}{" "}
            <strong>
              {value}
              {unit}
            </strong>
          </li>
        ))}
      </ul>
      <div
        class="chart"
        ref={place}
        role="img"
        aria-label={`Line chart of the last ${formatDuration(((at.at(-1) ?? 0) - (at[0] ?? 0)) * 1000)}: ${now
          .map(({ name, value }) => `${name} now ${value}${unit}`)
          .join(", ")}`}
      />
    </>
  );
}

function optionsOf(
  element: HTMLElement,
  lines: readonly Line[],
  format: ChartProps["format"],
): uPlot.Options {
  const style = getComputedStyle(element);
  const color = (name: string): string => style.getPropertyValue(name).trim();
  const axis = { stroke: color("--muted"), font: `12px ${style.fontFamily}`, ticks: { show: false } };
  return {
    width: Math.max(200, element.clientWidth),
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    padding: [8, 28, 0, 0],
    scales: { y: { range: (_plot, _low, high) => [0, Math.max(4, high * 1.1)] } },
    axes: [
      { ...axis, grid: { show: false }, space: 80, values: "{HH}:{mm}:{ss}", size: 28 },
      {
        ...axis,
        grid: { stroke: color("--line"), width: 1 },
        values: (_plot, ticks) => ticks.map((tick) => format(tick)),
        size: 64,
        space: 36,
      },
    ],
    series: [
      {},
      ...lines.map((line): uPlot.Series => ({
        label: line.name,
        stroke: color(line.color),
        width: 2,
        points: { show: false },
        ...(line.color === "--second" ? { dash: [6, 4] } : { fill: color("--accent-faint") }),
      })),
    ],
  };
}
