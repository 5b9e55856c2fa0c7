import { jsonCodec } from "../codecs.ts";
import { AccumulatorTooLargeError, WindowOptionsError } from "../errors.ts";
import { fieldFrom, listFrom, numberFrom } from "../fields.ts";
import type { ClosingFold } from "../fold.ts";
import type { CodecOption, Json } from "../json.ts";
import { jsonBytes } from "../json.ts";
import { ENDLESS_ROOM, growthBy, type Roomy } from "../room.ts";
import { requireJsonBytes } from "./fold-values.ts";

/** How large an accumulator may grow of which nothing is known but how it becomes JSON. */
export interface OpaqueBounds {
  /**
   * Bytes of JSON. An accumulator that had more in its last snapshot takes no more events in; they are counted as the
   * row's `overflow`. Without snapshots nothing is measured. `Infinity` = no bound. Whatever is given, one of more than
   * 256 MiB is refused with an `AccumulatorTooLargeError`. @default 1_048_576
   */
  readonly maxBytes?: number;
}

const DEFAULT_OPAQUE_BYTES = 1_024 * 1_024;

/** Bytes of JSON up to which an accumulator is hardly more than a number, and goes on where there is no room left. */
const SMALL_BYTES = 1_024;

/** Bytes of JSON that can be kept as one value: well below what Redis takes, and what JavaScript holds, as one text. */
export const MAX_KEPT_BYTES = 256 * 1_024 * 1_024;

/** An accumulator of which nothing is known but how it becomes JSON. */
export interface Opaque<A> extends Roomy {
  value: A;
  /** Events taken in. */
  events: number;
  /** Events that came when it was full. */
  overflow: number;
  /** Bytes of its JSON when it was last measured: the room that it has taken. */
  bytes: number;
  /** Whether it was larger than its bound when it was last measured. */
  full: boolean;
  /** Whether a row has it too, or the note of one: it must not change in place. */
  shared: boolean;
}

/** What an opaque fold does with its accumulators; `E` is what it needs of an event. */
interface OpaqueSpec<V, E, A, R> {
  readonly name: string;
  readonly kind: string | undefined;
  readonly create: () => A;
  readonly read: (value: V) => E;
  readonly take: (accumulator: A, read: E, timestamp: number) => A;
  readonly merge: (earlier: A, later: A) => A;
  readonly result: ((accumulator: A) => R) | undefined;
  /** Undefined where accumulators never change in place. */
  readonly copy: ((accumulator: A) => A) | undefined;
}

/** A fold, and the part of its `add` that comes after reading the event. */
interface OpaqueFold<V, E, A, R> {
  readonly fold: ClosingFold<V, Opaque<A>, R>;
  readonly take: (held: Opaque<A>, read: E, timestamp: number) => Opaque<A>;
}

/**
 * A fold whose accumulators are kept whole. They are measured when a snapshot is made, since their JSON is there then,
 * so that an event costs nothing.
 *
 * @throws WindowOptionsError
 */
export function opaqueFold<V, E, A, R>(
  spec: OpaqueSpec<V, E, A, R>,
  { codec = jsonCodec<A>(), maxBytes = DEFAULT_OPAQUE_BYTES }: Partial<CodecOption<A>> & OpaqueBounds,
): OpaqueFold<V, E, A, R> {
  const { name, copy } = spec;
  if (!(maxBytes >= 1))
    throw new WindowOptionsError(`maxBytes of ${name} is ${String(maxBytes)}, but must be at least 1.`);
  // Without a result of its own, the accumulator is the result.
  const resultOf = spec.result ?? ((accumulator: A): R => accumulator as unknown as R);
  const own = (held: Opaque<A>): A => {
    if (held.shared && copy !== undefined) held.value = copy(held.value);
    held.shared = false;
    return held.value;
  };
  const take = (held: Opaque<A>, read: E, timestamp: number): Opaque<A> => {
    if (held.full || (held.bytes > SMALL_BYTES && held.room.isFull)) held.overflow++;
    else {
      held.value = spec.take(own(held), read, timestamp);
      held.events++;
    }
    return held;
  };
  const fold: ClosingFold<V, Opaque<A>, R> = {
    ...(spec.kind === undefined ? {} : { kind: spec.kind }),
    create: (room = ENDLESS_ROOM) => ({
      value: spec.create(),
      events: 0,
      overflow: 0,
      bytes: 0,
      full: false,
      shared: false,
      room,
    }),
    add: (held, value, timestamp) => take(held, spec.read(value), timestamp),
    merge(earlier, later) {
      earlier.overflow += later.overflow;
      if (earlier.full) earlier.overflow += later.events;
      else {
        earlier.value = spec.merge(own(earlier), own(later));
        earlier.events += later.events;
        earlier.full = later.full;
        earlier.bytes += later.bytes;
        earlier.room.hold(later.bytes);
      }
      return earlier;
    },
    result(held) {
      if (spec.result === undefined) held.shared = true;
      return resultOf(held.value);
    },
    overflow: ({ overflow }) => overflow,
    snapshot(held) {
      const json = codec.snapshot(held.value);
      const bytes = requireJsonBytes(name, json);
      if (bytes > MAX_KEPT_BYTES) throw tooLarge(name, bytes);
      held.room.hold(bytes - held.bytes);
      held.bytes = bytes;
      held.full = bytes > maxBytes;
      return [copy === undefined ? json : independent(json), held.events, held.overflow];
    },
    restore(state, room = ENDLESS_ROOM) {
      const [json, events, overflow] = listFrom(state);
      const kept = fieldFrom(json);
      const bytes = jsonBytes(kept);
      return {
        value: codec.restore(kept),
        events: numberFrom(events),
        overflow: numberFrom(overflow),
        bytes,
        full: bytes > maxBytes,
        room,
        // Whoever gave the state may still have it.
        shared: true,
      };
    },
    // It is mostly a number or two, which take no more than their key does.
    growth: { ...growthBy<Opaque<A>>(({ bytes }) => bytes), accumulators: 0 },
    marks: {
      of(held) {
        held.shared = true;
        return held.value;
      },
      resultAt: (_, mark: A) => resultOf(mark),
      toJson: (mark: A) => codec.snapshot(mark),
      fromJson: (json) => codec.restore(json),
    },
  };
  return { fold, take };
}

function tooLarge(name: string, bytes: number): AccumulatorTooLargeError {
  return new AccumulatorTooLargeError(
    `an accumulator of ${name} has ${String(bytes)} bytes of JSON, and at most ${String(MAX_KEPT_BYTES)} can be kept as ` +
      "one value. Give the fold a smaller maxBytes, make snapshots more often, or keep less of each event.",
    { bytes, maxBytes: MAX_KEPT_BYTES },
  );
}

/** A snapshot of an accumulator that may change in place: the text is what a store makes of it anyway. */
function independent(json: Json): Json {
  return typeof json === "object" ? (JSON.parse(JSON.stringify(json)) as Json) : json;
}
