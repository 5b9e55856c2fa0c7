import type { Row } from "@millrace/observe/api";
import { useEffect, useMemo, useState } from "preact/hooks";
import { formatNumber, plural } from "../format/format.ts";
import type * as World from "../map/world.tsx";
import { placeOf } from "../map/zones.ts";

/** Loaded with the first flow whose keys are time zones, and never for others. */
let world: typeof World | undefined;

/** The rows whose keys are time zones, on a map. The table of rows has the same numbers. */
export function MapFigure({ rows, measure }: { rows: readonly Row[]; measure: string }) {
  const [loaded, setLoaded] = useState(world);
  useEffect(() => {
    if (loaded !== undefined) return;
    void import("../map/world.tsx").then((module) => {
      world = module;
      setLoaded(() => module);
    });
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
        <div class="world-wait" />
      ) : (
        <loaded.WorldMap
          bubbles={bubbles}
          label={`World map: ${measure} of ${plural(bubbles.length, "time zone")}`}
        />
      )}
      <figcaption>
        {measure} by time zone, {plural(bubbles.length, "zone")}
        {elsewhere > 0 && `; ${plural(elsewhere, "key")} without a place`}
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
