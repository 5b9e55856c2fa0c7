import type { Row } from "@millrace/observe/api";
import { useEffect, useMemo, useState } from "preact/hooks";
import { formatNumber, plural } from "../format/format.ts";
import type * as World from "../map/world.tsx";
import { placeOf } from "../map/zones.ts";

/** Loaded with the first flow whose keys are time zones, and never for others. */
let world: typeof World | undefined;

interface MapFigureProps {
  readonly rows: readonly Row[];
  readonly measure: string;
  /** Rows of the window that are not in `rows`. */
  readonly left: number;
}

/** The rows whose keys are time zones, on a map. The table of rows has the same numbers. */
export function MapFigure({ rows, measure, left }: MapFigureProps) {
  const [loaded, setLoaded] = useState(world);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    if (loaded !== undefined) return;
    import("../map/world.tsx").then(
      (module) => {
        world = module;
        setLoaded(() => module);
      },
      () => {
        // The run may have ended, and its server with it.
        setFailed(true);
      },
    );
  }, [loaded]);
  const values = useMemo(() => zoneValues(rows, measure), [rows, measure]);
  const bubbles = [...values].map(([zone, value]) => ({
    zone,
    value,
    text: `${measure} ${formatNumber(value)}`,
  }));
  const elsewhere = new Set(rows.map(({ key }) => key)).size - bubbles.length;
  return (
    <figure class="world">
      {loaded === undefined ? (
        <div class="world-wait">
          {failed && "The map could not be loaded: reload the page while the flow runs."}
        </div>
      ) : (
        <loaded.WorldMap
          bubbles={bubbles}
          label={`World map: ${measure} of ${plural(bubbles.length, "time zone")}`}
        />
      )}
      <figcaption>
        {measure} by time zone, {plural(bubbles.length, "zone")}
        {elsewhere > 0 && `; ${plural(elsewhere, "key")} without a place`}
        {left > 0 && `; ${plural(left, "lower row")} not on the map`}
      </figcaption>
    </figure>
  );
}

/** A key may have a row in each partition. */
function zoneValues(rows: readonly Row[], measure: string): ReadonlyMap<string, number> {
  const values = new Map<string, number>();
  for (const { key, numbers } of rows) {
    if (placeOf(key) !== undefined) values.set(key, (values.get(key) ?? 0) + (numbers[measure] ?? 0));
  }
  return values;
}
