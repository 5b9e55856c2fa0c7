import { WindowStateError, messageOf } from "./errors.ts";
import { listFrom, numberFrom, stringFrom } from "./fields.ts";
import type { ClosingFold, FoldPart, FoldPast, StoredAccumulator } from "./fold.ts";
import { fieldName, groupParts, splitFieldName } from "./fold-state.ts";
import type { Json } from "./json.ts";
import { specOf, stateSpecOf } from "./state-spec.ts";
import type { StateField, StateGroup } from "./window-engine.ts";
import { resolveOptions } from "./window-engine-options.ts";
import type { WindowEngineOptions } from "./window-engine-options.ts";

/** The group of an engine's own state, in every kind of engine. */
const ENGINE = "engine";
/** Where the key and the accumulator are in a stored session, and after them the mark of its last row. */
const KEY_OF_SESSION = 0;
const OF_SESSION = 4;
const SESSION_MARK = 9;
/** The same in a window of a key with a time of its own. */
const OF_KEY = 1;
const KEY_MARK = 5;
/** The same in a window of all keys. */
const OF_CELL = 0;
const CELL_MARK = 3;

/** A way from the state of an engine with another fold. */
export interface WindowMigration {
  /** Description of the state that it takes, as of `stateSpecOf`. */
  readonly spec: string;
  /** Makes the groups that the engine stores now of those that were stored. @throws WindowStateError */
  readonly migrate: (groups: readonly StateGroup[]) => readonly StateGroup[];
}

/** The ways from the state of engines with the earlier folds that a fold names. */
export function windowMigrations<V, A, R>(options: WindowEngineOptions<V, A, R>): readonly WindowMigration[] {
  const { timeModel, windower, ordered, fold } = resolveOptions(options);
  return (fold.pasts ?? []).map((past) => ({
    spec: specOf({ timeModel, windower, ordered, fold: past.fold }),
    migrate: (groups) => migrateState(options, past, groups),
  }));
}

function migrateState<V, A, R>(
  options: WindowEngineOptions<V, A, R>,
  past: FoldPast,
  groups: readonly StateGroup[],
): readonly StateGroup[] {
  const spec = stateSpecOf(options);
  const engine = groups
    .filter(([group]) => group === ENGINE)
    .map(([group, fields]): StateGroup => [
      group,
      [...fields].map(([field, meta]) => [field, [spec, ...listFrom(meta).slice(1)]]),
    ]);
  const others = groups.filter(([group]) => group !== ENGINE);
  return [...engine, ...migrateWindows(options, past, others)];
}

function migrateWindows<V, A, R>(
  { timeModel, ordered, windower, fold }: WindowEngineOptions<V, A, R>,
  past: FoldPast,
  groups: readonly StateGroup[],
): readonly StateGroup[] {
  if (timeModel === "perKey") return migrateKeys(past, groups);
  // Such windows keep their events, and fold them when they close.
  if (ordered === true) return groups;
  return windower.kind === "session" ? migrateSessions(past, groups) : migrateCells(fold, past, groups);
}

/** Windows of all keys: a group each, with a field for each key, and for each part of its accumulator. */
function migrateCells<V, A, R>(
  fold: ClosingFold<V, A, R>,
  past: FoldPast,
  groups: readonly StateGroup[],
): readonly StateGroup[] {
  return groups.map(([group, fields]) => {
    // Accumulators of late events that wait have nothing beside them.
    const alone = group.endsWith("+");
    const migrated: StateField[] = [];
    for (const [key, stored] of cellsOf(past.fold, fields)) {
      const cell = alone ? [stored.state] : listFrom(stored.state);
      const made = convert(past, key, { state: cell[OF_CELL] ?? null, parts: stored.parts });
      const name = fold.parts === undefined ? key : fieldName(key);
      migrated.push([name, alone ? made.state : replaced(cell, OF_CELL, made.state, CELL_MARK)]);
      for (const [id, value] of made.parts) migrated.push([fieldName(key, id), value]);
    }
    return [group, migrated];
  });
}

function cellsOf(
  { parts }: ClosingFold<never, unknown, unknown>,
  fields: Iterable<StateField>,
): readonly (readonly [key: string, stored: StoredAccumulator])[] {
  if (parts === undefined) return Array.from(fields, ([key, state]) => [key, { state, parts: [] }]);
  const all = [...fields];
  const byKey = groupParts(all.filter(([name]) => splitFieldName(name)[1] !== ""));
  // Parts without the field of their key are of a key whose row is out.
  return all.flatMap(([name, state]) => {
    const [key, id] = splitFieldName(name);
    return id === "" ? [[key, { state, parts: byKey.get(key) ?? [] }] as const] : [];
  });
}

/** Sessions are fields of one group; the parts of each are in a group of its own, named by its id. */
function migrateSessions(past: FoldPast, groups: readonly StateGroup[]): readonly StateGroup[] {
  const parts = partsBy(groups);
  const made: StateGroup[] = [];
  const sessions = (parts.get("sessions") ?? []).map(([id, json]): StateField => {
    const session = listFrom(json);
    const state = session[OF_SESSION] ?? null;
    const accumulator = convert(past, stringFrom(session[KEY_OF_SESSION]), {
      state,
      parts: parts.get(id) ?? [],
    });
    if (accumulator.parts.length > 0) made.push([id, accumulator.parts]);
    return [id, replaced(session, OF_SESSION, accumulator.state, SESSION_MARK)];
  });
  return [...made, ["sessions", sessions]];
}

/** Keys with a time of their own are fields of one group; the parts of each of their windows are in a group of its own. */
function migrateKeys(past: FoldPast, groups: readonly StateGroup[]): readonly StateGroup[] {
  const parts = partsBy(groups);
  // Events that wait are stored as they are.
  const made = groups.filter(([group]) => group !== "keys" && splitFieldName(group)[1] === "queue");
  const keys = (parts.get("keys") ?? []).map(([key, json]): StateField => {
    const [clock = null, windows = null] = listFrom(json);
    // A key without windows has only a clock.
    if (typeof windows !== "object" || windows === null) return [key, json];
    const [cells, ...others] = listFrom(windows);
    const migrated = listFrom(cells).map((entry) => {
      const cell = listFrom(entry);
      const group = fieldName(key, String(numberFrom(cell[0])));
      const accumulator = convert(past, key, { state: cell[OF_KEY] ?? null, parts: parts.get(group) ?? [] });
      if (accumulator.parts.length > 0) made.push([group, accumulator.parts]);
      return replaced(cell, OF_KEY, accumulator.state, KEY_MARK);
    });
    return [key, [clock, [migrated, ...others]]];
  });
  return [...made, ["keys", keys]];
}

/** @throws WindowStateError that names the key */
function convert(past: FoldPast, key: string, stored: StoredAccumulator): StoredAccumulator {
  try {
    return past.convert(stored);
  } catch (error) {
    throw new WindowStateError(
      `key ${JSON.stringify(key)}: the accumulator cannot be migrated: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

function partsBy(groups: readonly StateGroup[]): ReadonlyMap<string, readonly FoldPart[]> {
  return new Map(groups.map(([group, fields]) => [group, [...fields]]));
}

/** A stored window with another accumulator, and without the mark of its last row, which only the old fold can read. */
function replaced(stored: readonly Json[], at: number, accumulator: Json, mark: number): readonly Json[] {
  return stored.slice(0, mark).map((each, index) => (index === at ? accumulator : each));
}
