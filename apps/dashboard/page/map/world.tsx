import { geoEqualEarth, geoPath } from "d3-geo";
import { feature } from "topojson-client";
import type { Topology } from "topojson-specification";
import land from "world-atlas/land-110m.json";
import { placeOf } from "./zones.ts";

export interface Bubble {
  readonly zone: string;
  readonly value: number;
  readonly text: string;
}

const WIDTH = 720;
const HEIGHT = 340;
const LARGEST = 26;
const MAX_BUBBLES = 400;
const NAMED = 5;

const topology = land as unknown as Topology;
const [landObject] = Object.values(topology.objects);
const shape = landObject === undefined ? undefined : feature(topology, landObject);
const projection = geoEqualEarth().rotate([-11, 0]);
if (shape !== undefined)
  projection.fitExtent(
    [
      [6, 6],
      [WIDTH - 6, HEIGHT + 52],
    ],
    shape,
  );
const LAND = (shape === undefined ? null : geoPath(projection).digits(1)(shape)) ?? "";

/** A bubble for each time zone, its area as large as its number. */
export function WorldMap({ bubbles, label }: { bubbles: readonly Bubble[]; label: string }) {
  const placed = bubbles
    .flatMap((bubble) => {
      const place = placeOf(bubble.zone);
      const point = place === undefined ? null : projection([place.longitude, place.latitude]);
      return point === null ? [] : [{ ...bubble, x: point[0], y: point[1] }];
    })
    .sort((a, b) => b.value - a.value)
    .slice(0, MAX_BUBBLES);
  const largest = Math.max(0, ...placed.map(({ value }) => value));
  return (
    <svg class="map" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={label}>
      <path class="map-land" d={LAND} />
      {placed.map(({ zone, value, text, x, y }) => (
        <circle key={zone} class="map-bubble" cx={x} cy={y} r={radius(value, largest)}>
          <title>{`${zone}: ${text}`}</title>
        </circle>
      ))}
      {apart(placed.slice(0, NAMED)).map(({ zone, x, y, value }) => (
        <text key={zone} class="map-name" x={x} y={y - radius(value, largest) - 4} text-anchor="middle">
          {cityOf(zone)}
        </text>
      ))}
    </svg>
  );
}

interface Placed extends Bubble {
  readonly x: number;
  readonly y: number;
}

/** Without those whose names would cover the name of a larger one. */
function apart(bubbles: readonly Placed[]): readonly Placed[] {
  return bubbles.filter(({ x, y }, i) =>
    bubbles.slice(0, i).every((other) => Math.abs(other.x - x) > 70 || Math.abs(other.y - y) > 24),
  );
}

function radius(value: number, largest: number): number {
  if (value <= 0 || largest <= 0) return 1.5;
  return Math.max(2, Math.round(Math.sqrt(value / largest) * LARGEST * 10) / 10);
}

function cityOf(zone: string): string {
  return (zone.split("/").at(-1) ?? zone).replaceAll("_", " ");
}
