import { WindowOptionsError } from "../errors.ts";
import { damaged, listFrom, numberFrom } from "../fields.ts";
import type { Fold } from "../fold.ts";
import type { Json } from "../json.ts";
import { ENDLESS_ROOM, growthBy, roomFor, type Room, type Roomy } from "../room.ts";
import { requireScalar, type Scalar } from "./fold-values.ts";

const NAME = "approxDistinct";

const { clz32, imul } = Math;

/** How exact an approximate number of different values is. */
export interface ApproxDistinctOptions {
  /**
   * The standard error, relative, from 0.0041 to 0.26: two of three results are that near, 19 of 20 twice that. The state
   * of a key has up to (1.04 / error)² bytes, rounded up to a power of two: 4 KiB by default. @default 0.02
   */
  readonly error?: number;
}

/** The largest rank: one more than bits in a hash's second half. */
const MAX_RANK = 33;

/** A register's rank as a character of JSON that needs no escape. */
const FIRST_RANK = "0".charCodeAt(0);

/**
 * The largest rank of each register, by register as long as there are few, then as bytes: HyperLogLog (Flajolet et al.:
 * HyperLogLog, the analysis of a near-optimal cardinality estimation algorithm, 2007).
 */
export class Registers implements Roomy {
  readonly room: Room;
  readonly size: number;
  overflow = 0;
  ranks: Map<number, number> | Uint8Array = new Map<number, number>();

  constructor(room: Room, size: number) {
    this.room = room;
    this.size = size;
  }

  get taken(): number {
    return this.ranks instanceof Map ? roomFor(this.ranks.size, 0) : this.size;
  }

  /** Raises the rank of a register. @param held there is room, as for what a merge moves */
  raise(register: number, rank: number, held = false): void {
    const { ranks } = this;
    if (!(ranks instanceof Map)) {
      if (rank > (ranks[register] ?? 0)) ranks[register] = rank;
      return;
    }
    const before = ranks.get(register);
    if (before === undefined) {
      // The room of the first register is covered by the bound on keys.
      if (held || ranks.size === 0) this.room.hold(roomFor(1, 0));
      else if (!this.room.take(roomFor(1, 0))) {
        this.overflow++;
        return;
      }
    }
    if (rank > (before ?? 0)) ranks.set(register, rank);
    if (roomFor(ranks.size, 0) > this.size) this.#toBytes(ranks);
  }

  /** The registers that have a rank. */
  *entries(): Iterable<readonly [register: number, rank: number]> {
    if (this.ranks instanceof Map) yield* this.ranks;
    else for (const [register, rank] of this.ranks.entries()) if (rank > 0) yield [register, rank];
  }

  /** Pairs of register and rank, or a text with a character for each register. */
  toJson(): Json {
    const { ranks } = this;
    if (ranks instanceof Map) return [...ranks].flat();
    return Array.from(ranks, (rank) => String.fromCharCode(FIRST_RANK + rank)).join("");
  }

  /** The inverse of `toJson`. @throws WindowStateError */
  fromJson(json: Json | undefined): void {
    if (typeof json === "string") {
      if (json.length !== this.size) damaged(`${String(this.size)} registers`, json.length);
      this.ranks = Uint8Array.from(json, (rank) => rank.charCodeAt(0) - FIRST_RANK);
      return;
    }
    const numbers = listFrom(json).map(numberFrom);
    const ranks = new Map<number, number>();
    for (let i = 0; i + 1 < numbers.length; i += 2)
      ranks.set(numberFrom(numbers[i]), numberFrom(numbers[i + 1]));
    this.ranks = ranks;
  }

  #toBytes(ranks: ReadonlyMap<number, number>): void {
    this.room.hold(this.size - roomFor(ranks.size, 0));
    const bytes = new Uint8Array(this.size);
    for (const [register, rank] of ranks) bytes[register] = rank;
    this.ranks = bytes;
  }
}

/** A register, and the rank that a value has there. */
interface Hashed {
  readonly register: number;
  readonly rank: number;
}

/**
 * About how many different values a window's events have, in a fixed amount of memory for each key: with a standard error of
 * 2 % (`error`) in 4 KiB. Undefined = the event has none. `distinct` is exact, and keeps every value.
 *
 * @throws WindowOptionsError
 */
export function approxDistinct<V>(
  valueOf: (value: V) => Scalar | undefined,
  { error = 0.02 }: ApproxDistinctOptions = {},
): Fold<V, Registers, number> {
  if (!(error >= 0.0041 && error <= 0.26)) {
    throw new WindowOptionsError(
      `error of ${NAME} is ${String(error)}, but must be a number from 0.0041 to 0.26.`,
    );
  }
  const bits = Math.ceil(2 * Math.log2(1.04 / error));
  const read = (event: V): Hashed | undefined => {
    const value = requireScalar(NAME, valueOf(event));
    return value === undefined ? undefined : hashed(value, bits);
  };
  const take = (registers: Registers, read: Hashed | undefined): Registers => {
    if (read !== undefined) registers.raise(read.register, read.rank);
    return registers;
  };
  return {
    kind: `${NAME} bits=${String(bits)}`,
    create: (room = ENDLESS_ROOM) => new Registers(room, 2 ** bits),
    add: (registers, event) => take(registers, read(event)),
    split: { read, take },
    merge(earlier, later) {
      for (const [register, rank] of later.entries()) earlier.raise(register, rank, true);
      earlier.overflow += later.overflow;
      return earlier;
    },
    result: (registers) => Math.round(estimate(registers)),
    overflow: ({ overflow }) => overflow,
    growth: growthBy(({ taken }) => taken),
    snapshot: (registers) => [registers.overflow, registers.toJson()],
    restore(state, room = ENDLESS_ROOM) {
      const [overflow, ranks] = listFrom(state);
      const registers = new Registers(room, 2 ** bits);
      registers.overflow = numberFrom(overflow);
      registers.fromJson(ranks);
      return registers;
    },
  };
}

/**
 * The number of values that the registers most likely come from: without tables of corrections, and right for few values and
 * for many (Ertl: New cardinality estimation algorithms for HyperLogLog sketches, 2017, algorithm 6).
 */
function estimate(registers: Registers): number {
  const { size } = registers;
  const counts = new Array<number>(MAX_RANK + 1).fill(0);
  let used = 0;
  for (const [, rank] of registers.entries()) {
    counts[rank] = (counts[rank] ?? 0) + 1;
    used++;
  }
  let sum = size * tau(1 - (counts[MAX_RANK] ?? 0) / size);
  for (let rank = MAX_RANK - 1; rank >= 1; rank--) sum = 0.5 * (sum + (counts[rank] ?? 0));
  sum += size * sigma(1 - used / size);
  return size ** 2 / (2 * Math.LN2 * sum);
}

/** For registers without a value. */
function sigma(part: number): number {
  if (part === 1) return Number.POSITIVE_INFINITY;
  let [x, y, z, before] = [part, 1, part, Number.NaN];
  while (z !== before) {
    x *= x;
    before = z;
    z += x * y;
    y += y;
  }
  return z;
}

/** For registers of the largest rank. */
function tau(part: number): number {
  if (part === 0 || part === 1) return 0;
  let [x, y, z, before] = [part, 1, 1 - part, Number.NaN];
  while (z !== before) {
    x = Math.sqrt(x);
    before = z;
    y *= 0.5;
    z -= (1 - x) ** 2 * y;
  }
  return z / 3;
}

/**
 * The register and the rank of a value: those of the same value in every process. Two halves of a hash, each mixed as in
 * MurmurHash3 (Appleby, 2011), with constants of its 32-bit and 128-bit variants.
 */
function hashed(value: Scalar, bits: number): Hashed {
  // A number is another value than its text.
  const text = typeof value === "string" ? value : `\0${typeof value} ${String(value)}`;
  let a = 0x9747b28c;
  let b = 0x2f0b4a27;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a ^= imul(rotated(imul(unit, 0xcc9e2d51), 15), 0x1b873593);
    a = (imul(rotated(a, 13), 5) + 0xe6546b64) | 0;
    b ^= imul(rotated(imul(unit, 0x239b961b), 16), 0xab0e9789);
    b = (imul(rotated(b, 17), 5) + 0x561ccd1b) | 0;
  }
  a = mixed(a ^ text.length);
  b = mixed(b ^ text.length ^ a);
  return { register: a >>> (32 - bits), rank: clz32(b) + 1 };
}

function rotated(half: number, by: number): number {
  return (half << by) | (half >>> (32 - by));
}

function mixed(half: number): number {
  let h = half;
  h = imul(h ^ (h >>> 16), 0x85ebca6b);
  h = imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
