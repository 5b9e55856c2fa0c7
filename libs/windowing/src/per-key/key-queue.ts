import { at } from "../at.ts";
import { damaged, fieldFrom, listFrom, numberFrom, timeFromJson, timeToJson } from "../fields.ts";
import type { FoldPart, PartChanges } from "../fold.ts";
import { MAX_ELEMENT_BYTES } from "../folds/bounds.ts";
import { toChunks } from "../folds/chunks.ts";
import { jsonBytes, type Json, type JsonCodec } from "../json.ts";
import { roomFor, type Room } from "../room.ts";

/** An event that waits for the watermark. */
interface Waiting<V> {
  readonly timestamp: number;
  readonly value: V;
  /** Bytes of room that it has taken. */
  readonly taken: number;
  /** Its place among those of one timestamp. */
  readonly order: number;
  /** Events of the same windows that found no room. */
  leftOut: number;
  /** Where it is kept; undefined = not kept yet. */
  chunk: Chunk<V> | undefined;
}

/** Events that are kept together, some of which have left the queue. */
interface Chunk<V> {
  readonly id: string;
  readonly events: readonly Waiting<V>[];
  /** How many of them still wait. */
  waiting: number;
}

/** Once so few of a chunk's events wait, it is worth writing them anew. */
const WORTH_KEEPING = 1 / 4;

/** What a queue takes in. */
export interface QueueBounds {
  /** Where waiting events take room. */
  readonly room: Room;
  /** Events that wait at most, but for the first one of its windows. */
  readonly max: number;
  /** Whether events of two timestamps, next to each other in time, are in the same windows. */
  readonly alike: (earlier: number, later: number) => boolean;
}

/**
 * A key's events that wait for the watermark, in order of their timestamps, equal ones as they came.
 *
 * They are kept in chunks, in the order in which they came, so that keeping the queue costs what is new. A chunk goes
 * when few of its events wait; those are written anew, so that a chunk does not stay for one event from the future.
 *
 * An event that finds the queue full is left out and counted with a waiting one of the same windows, whose rows will
 * say so. Where there is none it is taken in all the same: else its windows might have no row that could.
 */
export class KeyQueue<V> {
  readonly #bounds: QueueBounds;
  #events: Waiting<V>[] = [];
  #head = 0;
  #order = 0;
  /** Whatever had no later timestamp has left. */
  #leftUpTo: number = Number.NEGATIVE_INFINITY;
  /** Waiting events that are in no chunk yet; undefined before the first look at the changes: all. */
  #fresh: Set<Waiting<V>> | undefined;
  /** Chunks to be taken out at the next look at the changes. */
  readonly #stale = new Set<Chunk<V>>();
  #chunks = 0;
  #nextChunk = 0;

  constructor(bounds: QueueBounds) {
    this.#bounds = bounds;
  }

  get size(): number {
    return this.#events.length - this.#head;
  }

  /** The first timestamp; Infinity where nothing waits. */
  get first(): number {
    return this.#events[this.#head]?.timestamp ?? Number.POSITIVE_INFINITY;
  }

  get last(): number {
    return this.size === 0 ? Number.NEGATIVE_INFINITY : at(this.#events, this.#events.length - 1).timestamp;
  }

  /** Whether a snapshot had events that are still kept. */
  get isKept(): boolean {
    return this.#chunks > 0;
  }

  /** @param bytes of the event's JSON */
  push(timestamp: number, value: V, bytes: number): void {
    const place = this.#placeOf(timestamp);
    const { max, room } = this.#bounds;
    const taken = roomFor(1, bytes);
    const fits = bytes <= MAX_ELEMENT_BYTES && this.size < max && room.take(taken);
    const alike = fits ? undefined : this.#alikeAt(place, timestamp);
    if (alike !== undefined) {
      alike.leftOut++;
      if (alike.chunk !== undefined) this.#stale.add(alike.chunk);
      return;
    }
    if (!fits) room.hold(taken);
    const order = this.#order++;
    const event: Waiting<V> = { timestamp, value, taken, order, leftOut: 0, chunk: undefined };
    this.#fresh?.add(event);
    if (place === this.#events.length) this.#events.push(event);
    else this.#events.splice(place, 0, event);
  }

  /** Takes the first event out, with the number of those that were left out for it. */
  shift(): Pick<Waiting<V>, "timestamp" | "value" | "leftOut"> {
    const event = at(this.#events, this.#head);
    this.#head++;
    // Compacts once half is gone: amortised, an event is moved once.
    if (this.#head * 2 >= this.#events.length) {
      this.#events = this.#events.slice(this.#head);
      this.#head = 0;
    }
    this.#leftUpTo = event.timestamp;
    this.#bounds.room.hold(-event.taken);
    const { chunk } = event;
    if (chunk === undefined) this.#fresh?.delete(event);
    else {
      chunk.waiting--;
      this.#noteIfSparse(chunk);
    }
    return event;
  }

  /** The changes since the last call. Only between two calls of the engine: what is due by then has left. */
  changes(codec: JsonCodec<V>): PartChanges {
    const fresh = this.#fresh ?? new Set(this.#events.slice(this.#head));
    const gone: string[] = [];
    for (const { id, events } of this.#stale) {
      gone.push(id);
      for (const event of events) if (event.timestamp > this.#leftUpTo) fresh.add(event);
    }
    this.#stale.clear();
    const events = [...fresh];
    const put = toChunks(
      events.map(({ order, timestamp, value, leftOut }) => [
        order,
        timestamp,
        codec.snapshot(value),
        leftOut,
      ]),
      this.#nextChunk,
    );
    let from = 0;
    for (const [id, elements] of put) {
      const until = from + listFrom(elements).length;
      this.#keep(id, events.slice(from, until));
      from = until;
    }
    this.#nextChunk += put.length;
    this.#chunks += put.length - gone.length;
    this.#fresh = new Set();
    return { put, delete: gone };
  }

  /** What `restore` needs besides the parts; null where nothing waits. */
  toJson(): Json {
    return this.size === 0 ? null : [timeToJson(this.#leftUpTo), this.size];
  }

  /** Takes up what was kept. @throws WindowStateError unless it is all there */
  restore(json: Json, parts: readonly FoldPart[], codec: JsonCodec<V>): void {
    this.#fresh = new Set();
    if (json === null) return;
    const [leftUpTo, size] = listFrom(json);
    this.#leftUpTo = timeFromJson(leftUpTo);
    for (const [id, elements] of parts) {
      const all = listFrom(elements).map((element): Waiting<V> => {
        const [order, timestamp, value, leftOut] = listFrom(element);
        const kept = fieldFrom(value);
        return {
          order: numberFrom(order),
          timestamp: numberFrom(timestamp),
          value: codec.restore(kept),
          taken: roomFor(1, jsonBytes(kept)),
          leftOut: numberFrom(leftOut),
          chunk: undefined,
        };
      });
      const waiting = all.filter(({ timestamp }) => timestamp > this.#leftUpTo);
      this.#noteIfSparse(this.#keep(id, waiting));
      this.#chunks++;
      this.#nextChunk = Math.max(this.#nextChunk, Number(id) + 1);
      for (const event of waiting) {
        this.#order = Math.max(this.#order, event.order + 1);
        this.#bounds.room.hold(event.taken);
      }
      this.#events.push(...waiting);
    }
    this.#events.sort((a, b) => a.timestamp - b.timestamp || a.order - b.order);
    if (this.size !== size) damaged(`${String(numberFrom(size))} waiting events`, this.size);
  }

  /** Events mostly come in order, so the place is found from the end. */
  #placeOf(timestamp: number): number {
    let place = this.#events.length;
    while (place > this.#head && at(this.#events, place - 1).timestamp > timestamp) place--;
    return place;
  }

  /** An event beside the place that is in the same windows as one of this timestamp. */
  #alikeAt(place: number, timestamp: number): Waiting<V> | undefined {
    const { alike } = this.#bounds;
    const before = place > this.#head ? this.#events[place - 1] : undefined;
    if (before !== undefined && alike(before.timestamp, timestamp)) return before;
    const after = this.#events[place];
    return after !== undefined && alike(timestamp, after.timestamp) ? after : undefined;
  }

  #keep(id: string, events: readonly Waiting<V>[]): Chunk<V> {
    const chunk = { id, events, waiting: events.length };
    for (const event of events) event.chunk = chunk;
    return chunk;
  }

  #noteIfSparse(chunk: Chunk<V>): void {
    if (chunk.waiting <= WORTH_KEEPING * chunk.events.length) this.#stale.add(chunk);
  }
}
