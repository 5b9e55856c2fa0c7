import { jsonCodec } from "../codecs.ts";
import { AccumulatorTooLargeError, WindowOptionsError } from "../errors.ts";
import { fieldFrom, listFrom, numberFrom } from "../fields.ts";
import type { ClosingFold, Seeded } from "../fold.ts";
import type { CodecOption, Json } from "../json.ts";
import { jsonBytes } from "../json.ts";
import { ENDLESS_ROOM, growthBy, type Roomy } from "../room.ts";
import { requireJsonBytes } from "./fold-values.ts";

/** The bound of an accumulator whose structure is unknown. */
export interface OpaqueBounds {
  /**
   * Bytes of JSON. An accumulator that was larger in its last snapshot takes no more events in; they are counted as the
   * row's `overflow`. Sizes are measured only in snapshots. `Infinity` = no bound; an accumulator above 256 MiB is
   * always refused with an `AccumulatorTooLargeError`. @default 1_048_576
   */
  readonly maxBytes?: number;
}

const DEFAULT_OPAQUE_BYTES = 1_024 * 1_024;

/** An accumulator up to this size (bytes of JSON) is little more than a number, and continues without room. */
const SMALL_BYTES = 1_024;

/** Maximum bytes of JSON of one stored value: well below the limits of Redis values and of JavaScript strings. */
export const MAX_KEPT_BYTES = 256 * 1_024 * 1_024;

/** An accumulator whose structure is unknown, except how it becomes JSON. */
export interface Opaque<A> extends Roomy {
  value: A;
  /** Events added. */
  events: number;
  /** Events left out because it was full. */
  overflow: number;
  /** Bytes of its JSON when it was last measured: the room that it has taken. */
  bytes: number;
  /** Whether it exceeded its bound when it was last measured. */
  full: boolean;
  /** Whether a row, or a row's mark, shares it: it must not change in place. */
  shared: boolean;
}

/** What an opaque fold does with its accumulators; `E` is what it reads from an event. */
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
  readonly fold: ClosingFold<V, Opaque<A>, R> & Seeded<A>;
  readonly take: (held: Opaque<A>, read: E, timestamp: number) => Opaque<A>;
}

/**
 * A fold whose accumulators are stored whole. They are measured when a snapshot is made, since their JSON exists then,
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
  // Without a `result` the accumulator is the result.
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
  const fold: ClosingFold<V, Opaque<A>, R> & Seeded<A> = {
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
    // How many events it has is not known; that matters only if it is full when it merges.
    seed: (value) => ({ state: [codec.snapshot(value), 0, 0], parts: [] }),
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
        // The caller that passed the state may still hold it.
        shared: true,
      };
    },
    // Most are a number or two, which take no more room than their key.
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

/** A snapshot of an accumulator that may change in place: the store makes the same text of it anyway. */
function independent(json: Json): Json {
  return typeof json === "object" ? (JSON.parse(JSON.stringify(json)) as Json) : json;
}
