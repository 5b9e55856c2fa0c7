import { ZONE_TABLE } from "./zone-table.ts";

/** Degrees north and east. */
export interface Place {
  readonly latitude: number;
  readonly longitude: number;
}

const LOOKS_LIKE_A_ZONE = /^[A-Z][A-Za-z]+(?:\/[A-Za-z0-9_+-]+){1,2}$/;
/** Keys whose place was looked up; others cost an exception each. */
const MAX_KNOWN = 2_000;

let places: ReadonlyMap<string, Place> | undefined;
let byCanonicalName: ReadonlyMap<string, Place> | undefined;
const known = new Map<string, Place | undefined>();

/** Where an IANA time zone is, also by an alias such as Asia/Calcutta; undefined: the key is none, or has no place. */
export function placeOf(key: string): Place | undefined {
  if (!LOOKS_LIKE_A_ZONE.test(key)) return undefined;
  places ??= readTable();
  const place = places.get(key);
  if (place !== undefined || known.has(key)) return place ?? known.get(key);
  if (known.size >= MAX_KNOWN) known.clear();
  const found = placeOfAlias(key, places);
  known.set(key, found);
  return found;
}

/** Whether at least half of the keys are time zones with a place. */
export function areZones(keys: readonly string[]): boolean {
  return keys.length > 0 && keys.filter((key) => placeOf(key) !== undefined).length * 2 >= keys.length;
}

function readTable(): ReadonlyMap<string, Place> {
  const lines = ZONE_TABLE.trim().split("\n");
  return new Map(
    lines.map((line) => {
      const [zone = "", latitude, longitude] = line.split(" ");
      return [zone, { latitude: Number(latitude), longitude: Number(longitude) }];
    }),
  );
}

/** Engines differ in which of two names is the canonical one, so both sides are made canonical by the same engine. */
function placeOfAlias(alias: string, table: ReadonlyMap<string, Place>): Place | undefined {
  const name = canonical(alias);
  if (name === undefined) return undefined;
  byCanonicalName ??= new Map([...table].map(([zone, place]) => [canonical(zone) ?? zone, place]));
  return byCanonicalName.get(name);
}

function canonical(zone: string): string | undefined {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: zone }).resolvedOptions().timeZone;
  } catch {
    return undefined;
  }
}
