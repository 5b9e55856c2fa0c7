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
  /** Its order among events with the same timestamp. */
  readonly order: number;
  /** Events of the same windows that were left out for lack of room. */
  leftOut: number;
  /** The chunk that stores it; undefined = not stored yet. */
  chunk: Chunk<V> | undefined;
}

/** Events that are stored together; some may have left the queue. */
interface Chunk<V> {
  readonly id: string;
  readonly events: readonly Waiting<V>[];
  /** How many of them still wait. */
  waiting: number;
}

/** A chunk with fewer waiting events than this is rewritten. */
const WORTH_KEEPING = 1 / 4;

/** Bounds of a queue, and what it needs to know of windows. */
export interface QueueBounds {
  /** Where waiting events take room. */
  readonly room: Room;
  /** Maximum number of waiting events; the first one of its windows is accepted beyond it. */
  readonly max: number;
  /** Whether events of two timestamps, adjacent in time, are in the same windows. */
  readonly alike: (earlier: number, later: number) => boolean;
}

/**
 * A key's events that wait for the watermark, ordered by timestamp, equal ones by arrival.
 *
 * They are stored in chunks, in the order of arrival, so that a commit costs only the new events. A chunk is deleted
 * when few of its events wait; those are rewritten, so that a chunk does not stay for one event from the future.
 *
 * An event that finds the queue full is left out and counted with a waiting event of the same windows, whose rows
 * report it. If there is no such event it is accepted: otherwise its windows might have no row that reports it.
 */
export class KeyQueue<V> {
  readonly #bounds: QueueBounds;
  #events: Waiting<V>[] = [];
  #head = 0;
  #order = 0;
  /** Events up to this timestamp have left. */
  #leftUpTo: number = Number.NEGATIVE_INFINITY;
  /** Waiting events that are in no chunk yet; undefined before the first call of `changes`: all. */
  #fresh: Set<Waiting<V>> | undefined;
  /** Chunks to delete with the next changes. */
  readonly #stale = new Set<Chunk<V>>();
  #chunks = 0;
  #nextChunk = 0;

  constructor(bounds: QueueBounds) {
    this.#bounds = bounds;
  }

  get size(): number {
    return this.#events.length - this.#head;
  }

  /** The first timestamp; Infinity if no event waits. */
  get first(): number {
    return this.#events[this.#head]?.timestamp ?? Number.POSITIVE_INFINITY;
  }

  get last(): number {
    return this.size === 0 ? Number.NEGATIVE_INFINITY : at(this.#events, this.#events.length - 1).timestamp;
  }

  /** Whether a snapshot stored events that still exist. */
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

  /** Removes and returns the first event, with the number of events that were left out for it. */
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

  /** The changes since the last call. Only between two calls of the engine, when due events have left. */
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

  /** What `restore` needs besides the parts; null if no event waits. */
  toJson(): Json {
    return this.size === 0 ? null : [timeToJson(this.#leftUpTo), this.size];
  }

  /** Restores the stored events. @throws WindowStateError if some are missing */
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

  /** Events mostly arrive in order, so the search starts at the end. */
  #placeOf(timestamp: number): number {
    let place = this.#events.length;
    while (place > this.#head && at(this.#events, place - 1).timestamp > timestamp) place--;
    return place;
  }

  /** An event next to this index that is in the same windows as one of this timestamp. */
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
