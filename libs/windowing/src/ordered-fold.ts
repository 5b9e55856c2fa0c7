import { fieldFrom, listFrom, numberFrom } from "./fields.ts";
import type { Fold } from "./fold.ts";
import { kindOf, probe } from "./fold-state.ts";
import { MAX_ELEMENT_BYTES } from "./folds/bounds.ts";
import { requireJsonBytes } from "./folds/fold-values.ts";
import { GrowingList } from "./folds/growing-list.ts";
import { jsonBytes, type JsonCodec } from "./json.ts";
import { ENDLESS_ROOM, growthBy, roomFor, type Roomy } from "./room.ts";

/** A window's events in the order of arrival. */
export interface Buffered<V> extends Roomy {
  readonly list: GrowingList<TimedValue<V>>;
  /** Bytes of JSON of all of them. */
  bytes: number;
  /** Events left out for lack of room. */
  dropped: number;
  /** Values that the inner fold left out at the last result. */
  leftOut: number;
}

interface TimedValue<V> {
  readonly timestamp: number;
  readonly value: V;
  /** Bytes of the value's JSON. */
  readonly bytes: number;
}

/**
 * A fold that keeps the events and folds them by timestamp when the result is requested; equal timestamps in the order of
 * arrival. Events beyond `maxEvents`, those above 64 KiB of JSON, and those without room are left out and counted as
 * overflow.
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
    create: (room = ENDLESS_ROOM) => ({ list: new GrowingList(), bytes: 0, dropped: 0, leftOut: 0, room }),
    add(buffered, value, timestamp) {
      // An event that the fold does not accept is found when it arrives, not when the window closes.
      probe(fold, value, timestamp);
      const bytes = requireJsonBytes("ordered", codec.snapshot(value));
      const { list, room } = buffered;
      const { items } = list;
      const fits = items.length < maxEvents && bytes <= MAX_ELEMENT_BYTES;
      if (fits && room.take(roomFor(1, bytes))) {
        items.push({ timestamp, value, bytes });
        buffered.bytes += bytes;
      } else buffered.dropped++;
      return buffered;
    },
    // Two sessions never contain the same instant, so no order across them is needed for equal timestamps.
    merge(earlier, later) {
      const { items } = later.list;
      const free = Math.max(0, maxEvents - earlier.list.items.length);
      for (const event of items.slice(0, free)) {
        earlier.list.items.push(event);
        earlier.bytes += event.bytes;
        earlier.room.hold(roomFor(1, event.bytes));
      }
      earlier.dropped += later.dropped + Math.max(0, items.length - free);
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
    growth: growthBy(({ list, bytes }) => roomFor(list.items.length, bytes)),
    snapshot: ({ list, dropped, leftOut }) => [list.items.length, dropped, leftOut],
    restore(state, room = ENDLESS_ROOM) {
      const [length, dropped, leftOut] = listFrom(state).map(numberFrom);
      return {
        list: new GrowingList(length),
        bytes: 0,
        dropped: numberFrom(dropped),
        leftOut: numberFrom(leftOut),
        room,
      };
    },
    parts: {
      changes: ({ list }) => list.changes(({ timestamp, value }) => [timestamp, codec.snapshot(value)]),
      restore(buffered, parts) {
        buffered.list.restore(parts, (json) => {
          const [timestamp, value] = listFrom(json);
          const kept = fieldFrom(value);
          const bytes = jsonBytes(kept);
          buffered.bytes += bytes;
          return { timestamp: numberFrom(timestamp), value: codec.restore(kept), bytes };
        });
      },
      mark: ({ list }) => list.items.length,
      resultAt: (buffered, length) => fold.result(foldFirst(buffered, numberFrom(length))),
    },
  };
}
