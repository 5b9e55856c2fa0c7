import { WindowOptionsError } from "../errors.ts";
import { roomFor, type Room } from "../room.ts";

/** How much a fold that collects takes in. What does not fit is left out, and counted as the row's `overflow`. */
export interface CollectBounds {
  /** Elements at most. @default 100_000 */
  readonly max?: number;
  /**
   * Bytes of JSON that all elements come to at most, since the result is one row; several folds of one `aggregate`
   * add up. Whatever is given, a single element has at most 64 KiB. @default 262_144
   */
  readonly maxBytes?: number;
}

/** Different values that `distinct` counts at most. */
export const DEFAULT_MAX_DISTINCT = 1_000_000;

/** Elements that lists, sets and maps hold at most; also events of a key that an `ordered` window holds. */
export const DEFAULT_MAX_ELEMENTS = 100_000;

/** Bytes of JSON of a result with all elements: a row of it and the one before are well below a store's 1 MiB. */
export const DEFAULT_MAX_BYTES = 256 * 1_024;

/** Bytes of JSON of one element: far below what a store takes as one value. */
export const MAX_ELEMENT_BYTES = 64 * 1_024;

/** The bounds with nothing left open. */
export type ResolvedBounds = Readonly<Required<CollectBounds>>;

/** What an accumulator with bounds holds, and has left out. */
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

/** Bounds as they are in a fold's kind. */
export function boundsText({ max, maxBytes }: ResolvedBounds): string {
  return `max=${String(max)}${maxBytes === Number.POSITIVE_INFINITY ? "" : ` maxBytes=${String(maxBytes)}`}`;
}

/** @throws WindowOptionsError */
export function requireBound(fold: string, name: string, value: number): number {
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new WindowOptionsError(`${name} of ${fold} is ${String(value)}, but must be a whole number from 1.`);
}

/** What is to be taken in: the last of then `count` elements, or, where it replaces one of so many bytes, one of them. */
interface Candidate {
  readonly count: number;
  readonly bytes: number;
  readonly replaced?: number | undefined;
}

/** Makes room for an element; else counts it as left out. */
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
