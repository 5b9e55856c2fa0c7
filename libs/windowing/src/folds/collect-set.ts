import { FoldValueError } from "../errors.ts";
import { damaged, listFrom, numberFrom } from "../fields.ts";
import type { Fold, FoldPart, PartChanges } from "../fold.ts";
import type { Json } from "../json.ts";
import {
  admit,
  boundsText,
  DEFAULT_MAX_DISTINCT,
  requireBound,
  resolveBounds,
  type CollectBounds,
  type ResolvedBounds,
} from "./bounds.ts";
import { asHeld, ENDLESS_ROOM, growthBy, roomFor, type Room, type Roomy } from "../room.ts";
import { fromChunks, toChunks } from "./chunks.ts";
import { requireJsonBytes, shown } from "./fold-values.ts";

/** Values of a set: primitives, which are equal when they look equal. */
export type Scalar = string | number | boolean | null;

/** The accumulator of a set, which only grows. It is stored in chunks, so that a commit costs only the new values. */
export class GrowingSet<T extends Scalar> implements Roomy {
  readonly room: Room;
  readonly values = new Set<T>();
  bytes = 0;
  overflow = 0;
  /** Values added since the last call of `changes`, once there was one. */
  #fresh: T[] | undefined;
  /** How many values `restore` must add. */
  #kept = 0;
  #chunks = 0;

  constructor(room: Room, kept = 0) {
    this.room = room;
    this.#kept = kept;
  }

  /** Adds a value that is not in the set. */
  add(value: T): void {
    this.values.add(value);
    this.#fresh?.push(value);
  }

  /** The values added since the last call. */
  changes(): PartChanges {
    const put = toChunks(this.#fresh ?? this.values, this.#chunks);
    this.#chunks += put.length;
    this.#fresh = [];
    return { put, delete: [] };
  }

  /** Restores the stored values. @throws WindowStateError if some are missing */
  restore(parts: readonly FoldPart[], valueFrom: (json: Json) => T): void {
    const { elements, next } = fromChunks(parts);
    for (const element of elements) this.values.add(valueFrom(element));
    if (this.values.size !== this.#kept) damaged(`${String(this.#kept)} values`, this.values.size);
    this.#chunks = next;
    this.#fresh = [];
  }
}

/** The parts of a fold that a set does not provide. */
interface SetFold<T extends Scalar, R> {
  readonly name: string;
  readonly bounds: ResolvedBounds;
  /** The result of the first `size` values. */
  readonly resultOf: (values: ReadonlySet<T>, size: number) => R;
}

/**
 * The different values of a window's events, in order of their first appearance; undefined = the event has none.
 * What exceeds the bounds is left out, and counted as the row's `overflow`.
 *
 * @throws WindowOptionsError
 */
export function collectSet<V, T extends Scalar>(
  valueOf: (value: V) => T | undefined,
  bounds: CollectBounds = {},
): Fold<V, GrowingSet<T>, readonly T[]> {
  return setFold(valueOf, {
    name: "collectSet",
    bounds: resolveBounds("collectSet", bounds),
    resultOf: (values, size) => (values.size === size ? [...values] : [...values].slice(0, size)),
  });
}

/** The bound of `distinct`. */
export interface DistinctOptions {
  /**
   * Maximum number of different values. An event with a further one is not counted, but is in the row's `overflow`.
   * @default 1_000_000
   */
  readonly max?: number;
}

/**
 * The exact number of different values of a window's events; each value is kept. Undefined = the event has none.
 * A text of more than 64 KiB counts as overflow.
 *
 * @throws WindowOptionsError
 */
export function distinct<V, T extends Scalar>(
  valueOf: (value: V) => T | undefined,
  { max = DEFAULT_MAX_DISTINCT }: DistinctOptions = {},
): Fold<V, GrowingSet<T>, number> {
  return setFold(valueOf, {
    name: "distinct",
    bounds: { max: requireBound("distinct", "max", max), maxBytes: Number.POSITIVE_INFINITY },
    resultOf: (_, size) => size,
  });
}

function setFold<V, T extends Scalar, R>(
  valueOf: (value: V) => T | undefined,
  { name, bounds, resultOf }: SetFold<T, R>,
): Fold<V, GrowingSet<T>, R> {
  const read = (event: V): T | undefined => requireScalar(name, valueOf(event));
  const put = (set: GrowingSet<T>, value: T, room: Room): void => {
    if (set.values.has(value)) return;
    const candidate = { count: set.values.size + 1, bytes: requireJsonBytes(name, value) };
    if (admit(set, bounds, candidate, room)) set.add(value);
  };
  const take = (set: GrowingSet<T>, value: T | undefined): GrowingSet<T> => {
    if (value !== undefined) put(set, value, set.room);
    return set;
  };
  const valueFrom = (json: Json): T => json as T;
  return {
    kind: `${name} ${boundsText(bounds)}`,
    create: (room = ENDLESS_ROOM) => new GrowingSet(room),
    add: (set, event) => take(set, read(event)),
    split: { read, take },
    merge(earlier, later) {
      const room = asHeld(earlier.room);
      for (const value of later.values) put(earlier, value, room);
      earlier.overflow += later.overflow;
      return earlier;
    },
    result: ({ values }) => resultOf(values, values.size),
    overflow: ({ overflow }) => overflow,
    growth: growthBy(({ values, bytes }) => roomFor(values.size, bytes)),
    snapshot: ({ values, bytes, overflow }) => [values.size, bytes, overflow],
    restore(state, room = ENDLESS_ROOM) {
      const [size, bytes, overflow] = listFrom(state);
      const set = new GrowingSet<T>(room, numberFrom(size));
      set.bytes = numberFrom(bytes);
      set.overflow = numberFrom(overflow);
      return set;
    },
    parts: {
      changes: (set) => set.changes(),
      restore(set, parts) {
        set.restore(parts, valueFrom);
      },
      mark: ({ values }) => values.size,
      resultAt: ({ values }, mark) => resultOf(values, numberFrom(mark)),
    },
  };
}

/** For other values, equality would not survive a restart. @throws FoldValueError */
function requireScalar<T extends Scalar>(fold: string, value: T | undefined): T | undefined {
  const type = typeof value;
  const isScalar = type === "number" ? Number.isFinite(value) : value === null || type !== "object";
  if (isScalar) return value;
  throw new FoldValueError(
    `${fold} takes texts, finite numbers, booleans and null, and valueOf gave ${shown(value)}. ` +
      "Convert the value to one of these.",
  );
}
