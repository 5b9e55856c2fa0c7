import { at } from "./at.ts";
import { fieldFrom, listFrom, numberFrom } from "./fields.ts";
import type { Fold } from "./fold.ts";
import { kindOf, probe } from "./fold-state.ts";
import { MAX_ELEMENT_BYTES } from "./folds/bounds.ts";
import { requireJsonBytes } from "./folds/fold-values.ts";
import { GrowingList } from "./folds/growing-list.ts";
import type { JsonCodec } from "./json.ts";

/** A window's events as they came. */
export interface Buffered<V> {
  readonly list: GrowingList<TimedValue<V>>;
  /** Events that found no room. */
  dropped: number;
  /** What the fold of the events left out at the last result. */
  leftOut: number;
}

interface TimedValue<V> {
  readonly timestamp: number;
  readonly value: V;
}

/**
 * A fold that keeps the events and folds them by timestamp when the result is asked for, equal ones as they came.
 * Events beyond `maxEvents`, and those of more than 64 KiB of JSON, are left out and counted as overflow.
 */
export function orderedFold<V, A, R>(
  fold: Fold<V, A, R>,
  codec: JsonCodec<V>,
  maxEvents: number,
): Fold<V, Buffered<V>, R> {
  const foldFirst = ({ list }: Buffered<V>, length: number): A => {
    const events = list.items.slice(0, length).sort((a, b) => a.timestamp - b.timestamp);
    let accumulator = fold.create();
    for (const { timestamp, value } of events) accumulator = fold.add(accumulator, value, timestamp);
    return accumulator;
  };
  return {
    kind: kindOf(fold),
    create: () => ({ list: new GrowingList(), dropped: 0, leftOut: 0 }),
    add(buffered, value, timestamp) {
      // An event that the fold cannot take is found when it comes, not when the window closes.
      probe(fold, value, timestamp);
      const bytes = requireJsonBytes("ordered", codec.snapshot(value));
      const { items } = buffered.list;
      if (items.length < maxEvents && bytes <= MAX_ELEMENT_BYTES) items.push({ timestamp, value });
      else buffered.dropped++;
      return buffered;
    },
    // Two sessions never hold the same instant, so that "as they came" needs no order across them.
    merge(earlier, later) {
      const { items } = later.list;
      const room = Math.max(0, maxEvents - earlier.list.items.length);
      for (let i = 0; i < Math.min(room, items.length); i++) earlier.list.items.push(at(items, i));
      earlier.dropped += later.dropped + Math.max(0, items.length - room);
      earlier.leftOut += later.leftOut;
      return earlier;
    },
    result(buffered) {
      const accumulator = foldFirst(buffered, buffered.list.items.length);
      const result = fold.result(accumulator);
      buffered.leftOut = fold.overflow?.(accumulator) ?? 0;
      return result;
    },
    overflow: ({ dropped, leftOut }) => dropped + leftOut,
    snapshot: ({ list, dropped, leftOut }) => [list.items.length, dropped, leftOut],
    restore(state) {
      const [length, dropped, leftOut] = listFrom(state).map(numberFrom);
      return { list: new GrowingList(length), dropped: numberFrom(dropped), leftOut: numberFrom(leftOut) };
    },
    parts: {
      changes: ({ list }) => list.changes(({ timestamp, value }) => [timestamp, codec.snapshot(value)]),
      restore({ list }, parts) {
        list.restore(parts, (json) => {
          const [timestamp, value] = listFrom(json);
          return { timestamp: numberFrom(timestamp), value: codec.restore(fieldFrom(value)) };
        });
      },
      mark: ({ list }) => list.items.length,
      resultAt: (buffered, length) => fold.result(foldFirst(buffered, numberFrom(length))),
    },
  };
}
