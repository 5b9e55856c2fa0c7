import { WindowOptionsError } from "../errors.ts";
import { roomFor, type Room } from "../room.ts";

/** Bounds of a fold that collects. What exceeds them is left out, and counted as the row's `overflow`. */
export interface CollectBounds {
  /** Maximum number of elements. @default 100_000 */
  readonly max?: number;
  /**
   * Maximum bytes of JSON of all elements, since the result is one row; several folds of one `aggregate` add up. A
   * single element may never have more than 64 KiB. @default 262_144
   */
  readonly maxBytes?: number;
}

/** Maximum number of different values that `distinct` counts. */
export const DEFAULT_MAX_DISTINCT = 1_000_000;

/** Maximum number of elements of lists, sets and maps, and of a key's events in an `ordered` window. */
export const DEFAULT_MAX_ELEMENTS = 100_000;

/** Bytes of JSON of a whole result: a row with it and the previous one is well below a store's 1 MiB. */
export const DEFAULT_MAX_BYTES = 256 * 1_024;

/** Maximum bytes of JSON of one element: far below a store's limit for one value. */
export const MAX_ELEMENT_BYTES = 64 * 1_024;

/** The bounds, with defaults. */
export type ResolvedBounds = Readonly<Required<CollectBounds>>;

/** The size of a bounded accumulator, and what it has left out. */
export interface Held {
  /** Bytes of JSON of all elements. */
  bytes: number;
  overflow: number;
}

/** Fills in the defaults. @throws WindowOptionsError */
export function resolveBounds(fold: string, bounds: CollectBounds): ResolvedBounds {
  return {
    max: requireBound(fold, "max", bounds.max ?? DEFAULT_MAX_ELEMENTS),
    maxBytes: requireBound(fold, "maxBytes", bounds.maxBytes ?? DEFAULT_MAX_BYTES),
  };
}

/** The bounds as text in a fold's kind. */
export function boundsText({ max, maxBytes }: ResolvedBounds): string {
  return `max=${String(max)}${maxBytes === Number.POSITIVE_INFINITY ? "" : ` maxBytes=${String(maxBytes)}`}`;
}

/** @throws WindowOptionsError */
export function requireBound(fold: string, name: string, value: number): number {
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new WindowOptionsError(`${name} of ${fold} is ${String(value)}, but must be a whole number from 1.`);
}

/** The element to add: the last of then `count` elements, or a replacement for an element of this size. */
interface Candidate {
  readonly count: number;
  readonly bytes: number;
  readonly replaced?: number | undefined;
}

/** Takes room for an element, or counts it as left out. */
export function admit(
  held: Held,
  { max, maxBytes }: ResolvedBounds,
  { count, bytes, replaced }: Candidate,
  room: Room,
): boolean {
  const total = held.bytes + bytes - (replaced ?? 0);
  const more = replaced === undefined ? roomFor(1, bytes) : bytes - replaced;
  if (count <= max && bytes <= MAX_ELEMENT_BYTES && total <= maxBytes && room.take(more)) {
    held.bytes = total;
    return true;
  }
  held.overflow++;
  return false;
}
