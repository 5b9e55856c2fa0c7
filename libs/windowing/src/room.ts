import type { FoldGrowth } from "./fold.ts";

/** Where accumulators take room for what they hold, in bytes of heap. */
export interface Room {
  /** Whether nothing more is to be taken in. */
  readonly isFull: boolean;
  /** Takes room for something new, if there is as much. */
  take(bytes: number): boolean;
  /** Takes room for what is held in any case, even where there is none left; a negative number gives some back. */
  hold(bytes: number): void;
}

/** Room without end, and without a count. */
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

  /** Bytes taken; more than there are where what was held needed them. */
  get taken(): number {
    return this.#taken;
  }

  get isFull(): boolean {
    return this.#taken >= this.#max;
  }

  take(bytes: number): boolean {
    const taken = this.#taken + bytes;
    // What becomes smaller always may.
    if (taken > this.#max && bytes > 0) return false;
    this.#taken = taken;
    return true;
  }

  hold(bytes: number): void {
    this.#taken += bytes;
  }
}

/** An accumulator that takes room for what it holds. */
export interface Roomy {
  readonly room: Room;
}

/** How a fold gives back the room of an accumulator, by what that has taken. */
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

/** The room as it is for what is held already and only moves, such as the elements of an accumulator that is merged. */
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

/** What an element takes of the heap beside its JSON, about: its place in a list or set, and the headers of objects. */
const ELEMENT_BYTES = 100;
/** The room (bytes) for so many elements with so many bytes of JSON in all. */
export function roomFor(elements: number, jsonBytes: number): number {
  return elements * ELEMENT_BYTES + jsonBytes;
}
