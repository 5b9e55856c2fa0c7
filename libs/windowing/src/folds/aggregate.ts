import { PartlyTaken, WindowOptionsError } from "../errors.ts";
import { fieldFrom, listFrom, recordFrom } from "../fields.ts";
import type {
  ClosingFold,
  Fold,
  FoldMarks,
  FoldPart,
  FoldParts,
  Seeded,
  SplitAdd,
  StoredAccumulator,
} from "../fold.ts";
import type { Json } from "../json.ts";
import type { FoldGrowth } from "../room.ts";
import {
  fieldName,
  groupParts,
  isSeeded,
  kindOf,
  markFromJson,
  markOf,
  markToJson,
  resultAt,
} from "../fold-state.ts";

/** Folds, by the names of their results in the row. */
export type Aggregates<V> = Readonly<Record<string, ClosingFold<V, unknown, unknown>>>;

/** The row of all folds together. */
export type Aggregated<S extends Aggregates<never>> = {
  readonly [Name in keyof S]: S[Name] extends ClosingFold<never, infer _A, infer R> ? R : never;
};

type EventOf<F> = F extends ClosingFold<infer V, infer _A, infer _R> ? V : never;

/** The events that all folds accept. */
export type AggregateEvent<S extends Aggregates<never>> = {
  readonly [Name in keyof S]: (event: EventOf<S[Name]>) => void;
}[keyof S] extends (event: infer V) => void
  ? V
  : never;

/** The values of folds by name, for those that can be made of one. */
export type AggregateSeed<S extends Aggregates<never>> = {
  readonly [Name in keyof S]?: S[Name] extends Seeded<infer T> ? T : never;
};

/** The accumulators, in the order of the folds. */
export type AggregateState = unknown[];

/** One of the folds. */
interface Member<V> {
  readonly name: string;
  readonly fold: ClosingFold<V, unknown, unknown>;
  readonly place: number;
}

/**
 * Several folds of the same events as one: `aggregate({ events: count(), users: distinct((click) => click.user) })`
 * gives rows such as `{ events: 49, users: 4 }`. Each fold stores its state as it would alone; a row's `overflow` is
 * the sum of theirs. An event that one fold does not accept is added to none.
 *
 * @typeParam V the events, if it cannot be inferred from the folds
 * @throws WindowOptionsError for no folds, and for a fold that emits rows before the window's close
 */
export function aggregate<S extends Aggregates<never>, V = AggregateEvent<S>>(
  folds: S,
): ClosingFold<V, AggregateState, Aggregated<S>> & Seeded<AggregateSeed<S>> {
  return combine<V, Aggregated<S>>(folds);
}

function combine<V, R>(
  folds: Aggregates<V>,
): ClosingFold<V, AggregateState, R> & Seeded<Readonly<Record<string, unknown>>> {
  const members = Object.entries(folds).map(([name, fold], place): Member<V> => ({ name, fold, place }));
  if (members.length === 0) throw new WindowOptionsError("aggregate needs at least one fold.");
  for (const { name, fold } of members) refuseMatches(name, fold);
  const all = <T>(valueOf: (member: Member<V>) => T): T[] => members.map(valueOf);
  // fromEntries defines properties, so a name such as "__proto__" is safe.
  const record = <T>(valueOf: (member: Member<V>) => T): Readonly<Record<string, T>> =>
    Object.fromEntries(members.map((member) => [member.name, valueOf(member)]));
  const row = (valueOf: (member: Member<V>) => unknown): R => record(valueOf) as R;

  const splits = members.flatMap(({ fold, place }) =>
    fold.split === undefined ? [] : [{ split: fold.split, place }],
  );
  const others = members.filter(({ fold }) => fold.split === undefined);
  /** What the folds read from the current event. */
  const reads: unknown[] = members.map(() => undefined);

  const splitAll: SplitAdd<V, AggregateState> = {
    read: (value, timestamp) => splits.map(({ split }) => split.read(value, timestamp)),
    take(state, read: unknown[], timestamp) {
      splits.forEach(({ split, place }, index) => {
        state[place] = split.take(state[place], read[index], timestamp);
      });
      return state;
    },
  };

  const marks = marksOf(members, row);
  return {
    kind: `aggregate(${members.map(({ name, fold }) => `${name}:${kindOf(fold)}`).join(",")})`,
    create: (room) => all(({ fold }) => fold.create(room)),
    add(state, value, timestamp) {
      let changed = false;
      try {
        for (const { split, place } of splits) reads[place] = split.read(value, timestamp);
        for (const { fold, place } of others) {
          state[place] = fold.add(state[place], value, timestamp);
          changed = true;
        }
        for (const { split, place } of splits) {
          state[place] = split.take(state[place], reads[place], timestamp);
          changed = true;
        }
      } catch (error) {
        throw changed ? new PartlyTaken(error) : error;
      }
      return state;
    },
    merge: (earlier, later) => all(({ fold, place }) => fold.merge(earlier[place], later[place])),
    result: (state) => row(({ fold, place }) => fold.result(state[place])),
    snapshot: (state) => record(({ fold, place }) => fold.snapshot(state[place])),
    members: new Map(Object.entries(folds)),
    seed: (values, before) => seedAll(members, values, before),
    marks,
    restore(json, room) {
      const states = recordFrom(
        json,
        all(({ name }) => name),
      );
      return all(({ fold, place }) => fold.restore(states[place] ?? null, room));
    },
    ...(members.some(({ fold }) => fold.overflow !== undefined)
      ? {
          overflow: (state: AggregateState) =>
            members.reduce((sum, { fold, place }) => sum + (fold.overflow?.(state[place]) ?? 0), 0),
        }
      : {}),
    ...(members.some(({ fold }) => fold.growth !== undefined) ? { growth: growthOf(members) } : {}),
    ...(others.length === 0 ? { split: splitAll } : {}),
    ...(members.some(({ fold }) => fold.parts !== undefined) ? { parts: partsOf(members, marks) } : {}),
  };
}

/**
 * A member has its value; or the accumulator that a fold of its name and kind had before; or it begins empty.
 *
 * @throws WindowOptionsError for a value of a fold that cannot be made of one
 */
function seedAll<V>(
  members: readonly Member<V>[],
  values: Readonly<Record<string, unknown>>,
  before: Parameters<Seeded<unknown>["seed"]>[1],
): StoredAccumulator {
  const states: Record<string, Json> = {};
  const parts: FoldPart[] = [];
  const stored = storedMembers(before);
  for (const { name, fold } of members) {
    const own = stored.get(name) ?? { ...before, state: null, parts: [] };
    const same = stored.has(name) && kindOf(own.fold) === kindOf(fold);
    const made = Object.hasOwn(values, name)
      ? seedOf(name, fold)(values[name], own)
      : same
        ? own
        : { state: fold.snapshot(fold.create()), parts: [] };
    states[name] = made.state;
    for (const [id, value] of made.parts) parts.push([fieldName(name, id), value]);
  }
  return { state: states, parts };
}

/** The accumulators of an aggregate; none for another fold. */
function storedMembers({
  fold,
  state,
  parts,
}: Parameters<Seeded<unknown>["seed"]>[1]): ReadonlyMap<string, Parameters<Seeded<unknown>["seed"]>[1]> {
  const { members } = fold;
  if (members === undefined) return new Map();
  const names = [...members.keys()];
  const states = recordFrom(state, names);
  const byName = groupParts(parts);
  return new Map(
    [...members].map(([name, member], place) => [
      name,
      { fold: member, state: states[place] ?? null, parts: byName.get(name) ?? [] },
    ]),
  );
}

function seedOf<V>(name: string, fold: ClosingFold<V, unknown, unknown>): Seeded<unknown>["seed"] {
  if (isSeeded(fold)) return (value, before) => fold.seed(value, before);
  throw new WindowOptionsError(
    `The fold "${name}" (${kindOf(fold)}) of an aggregate cannot be made of a value: leave it out, so that it keeps what it has or begins empty.`,
  );
}

/** A mark is the list of the members' marks. */
function marksOf<V, R>(
  members: readonly Member<V>[],
  row: (valueOf: (member: Member<V>) => unknown) => R,
): FoldMarks<AggregateState, R> {
  return {
    of: (state) => members.map(({ fold, place }) => markOf(fold, state[place])),
    resultAt: (state, marks: unknown[]) =>
      row(({ fold, place }) => resultAt(fold, state[place], marks[place])),
    toJson: (marks: unknown[]) => members.map(({ fold, place }) => markToJson(fold, marks[place])),
    fromJson(json) {
      const marks = listFrom(json);
      return members.map(({ fold, place }) => markFromJson(fold, fieldFrom(marks[place])));
    },
  };
}

function growthOf<V>(members: readonly Member<V>[]): FoldGrowth<AggregateState> {
  return {
    accumulators: members.reduce((sum, { fold }) => sum + (fold.growth?.accumulators ?? 0), 0),
    hold(state) {
      for (const { fold, place } of members) fold.growth?.hold(state[place]);
    },
    release(state) {
      for (const { fold, place } of members) fold.growth?.release(state[place]);
    },
  };
}

function partsOf<V, R>(
  members: readonly Member<V>[],
  marks: FoldMarks<AggregateState, R>,
): FoldParts<AggregateState, R> {
  return {
    changes(state) {
      const put: FoldPart[] = [];
      const gone: string[] = [];
      for (const { name, fold, place } of members) {
        const changes = fold.parts?.changes(state[place]);
        for (const [id, value] of changes?.put ?? []) put.push([fieldName(name, id), value]);
        for (const id of changes?.delete ?? []) gone.push(fieldName(name, id));
      }
      return { put, delete: gone };
    },
    restore(state, parts) {
      const byName = groupParts(parts);
      for (const { name, fold, place } of members) fold.parts?.restore(state[place], byName.get(name) ?? []);
    },
    mark: (state) => marks.toJson(marks.of(state)),
    resultAt: (state, mark) => marks.resultAt(state, marks.fromJson(mark)),
  };
}

function refuseMatches<V>(name: string, fold: Fold<V, unknown, unknown>): void {
  if (fold.match === undefined) return;
  throw new WindowOptionsError(
    `The fold "${name}" of an aggregate emits rows before the window closes, the others when it closes. ` +
      'Use a join with emit: "final".',
  );
}
