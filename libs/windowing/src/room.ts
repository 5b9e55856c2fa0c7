/** Where accumulators take room for their content, in bytes of heap. */
export interface Room {
  /** Whether no more may be taken. */
  readonly isFull: boolean;
  /** Takes room for something new, if there is enough. */
  take(bytes: number): boolean;
  /** Takes room for existing content, even if there is none left; a negative number gives some back. */
  hold(bytes: number): void;
}

/** Unlimited room, without a count. */
export const ENDLESS_ROOM: Room = {
  isFull: false,
  take: () => true,
  hold: () => undefined,
};

/** A number of bytes that all accumulators of an engine share. */
export class StateBudget implements Room {
  readonly #max: number;
  #taken = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** Bytes taken; above the limit if existing content needed them. */
  get taken(): number {
    return this.#taken;
  }

  get isFull(): boolean {
    return this.#taken >= this.#max;
  }

  take(bytes: number): boolean {
    const taken = this.#taken + bytes;
    // A negative number always succeeds.
    if (taken > this.#max && bytes > 0) return false;
    this.#taken = taken;
    return true;
  }

  hold(bytes: number): void {
    this.#taken += bytes;
  }
}

/** An accumulator that takes room for its content. */
export interface Roomy {
  readonly room: Room;
}

/**
 * For accumulators that grow by elements, and take room for each of them from the room they were created with. An element
 * without room is left out, and counted as the row's `overflow`. Elements moved by `merge` always have room.
 */
export interface FoldGrowth<A> {
  /** How many growing accumulators one of this fold's consists of: each counts as a key, even when empty. */
  readonly accumulators: number;
  /** Takes the room of a restored accumulator. */
  hold(accumulator: A): void;
  /** Gives back the room of an accumulator that is not needed any more. */
  release(accumulator: A): void;
}

/** How a fold gives back the room that an accumulator has taken. */
export function growthBy<A extends Roomy>(takenBy: (accumulator: A) => number): FoldGrowth<A> {
  return {
    accumulators: 1,
    hold(accumulator) {
      accumulator.room.hold(takenBy(accumulator));
    },
    release(accumulator) {
      accumulator.room.hold(-takenBy(accumulator));
    },
  };
}

/** Always has room: for existing content that only moves, such as the elements of a merged accumulator. */
export function asHeld(room: Room): Room {
  return {
    isFull: false,
    take(bytes) {
      room.hold(bytes);
      return true;
    },
    hold: (bytes) => {
      room.hold(bytes);
    },
  };
}

/** Estimated heap of an element besides its JSON: its entry in a list or set, and the headers of objects. */
const ELEMENT_BYTES = 100;
/** The room (bytes) of this many elements with this many bytes of JSON in total. */
export function roomFor(elements: number, jsonBytes: number): number {
  return elements * ELEMENT_BYTES + jsonBytes;
}
