import { at } from "../at.ts";
import { damaged } from "../fields.ts";
import type { OrdinalWindower } from "../ordinal-windower.ts";
import { isOver } from "../late-events.ts";
import type { Outbox } from "../outbox.ts";
import type { ResolvedOptions } from "../window-engine-options.ts";
import type { KeyedBatch } from "../window-engine.ts";
import { AssignedEngine } from "./assigned-engine.ts";
import type { WindowNames } from "./fixed-table.ts";
import type { FixedWindow } from "./fixed-window.ts";

/** Tumbling and sliding windows, of a fixed length or of a calendar, in the time model `stream`. */
export class FixedEngine<V, A, R> extends AssignedEngine<V, A, R> {
  readonly #windower: OrdinalWindower;

  constructor(options: ResolvedOptions<V, A, R>, outbox: Outbox<V, R>, windower: OrdinalWindower) {
    super(options, outbox, namesOf(windower));
    this.#windower = windower;
  }

  protected override addPlain(batch: KeyedBatch<V>, from: number): number {
    return this.#windower.exclusive ? this.addSideBySide(batch, from) : this.#addSliding(batch, from);
  }

  protected override findOpen(timestamp: number): FixedWindow<A> {
    if (Number.isNaN(timestamp)) return this.none;
    const id = this.#windower.lastIdAt(timestamp);
    return this.#windower.closeOf(id) > this.watermark.value ? this.#takeOpen(id) : this.none;
  }

  protected override addToEach(key: string, value: V, timestamp: number): void {
    if (Number.isNaN(timestamp)) return;
    const last = this.#windower.lastIdAt(timestamp);
    for (let id = this.#windower.firstIdAt(timestamp); id <= last; id++) {
      const close = this.#windower.closeOf(id);
      if (close > this.watermark.value) this.addToOpen(this.#takeOpen(id), key, value, timestamp);
      else if (!isOver(close, this.options.allowedLatenessMs, this.watermark.value)) {
        const kept = this.table.get(id) ?? this.table.openKept(this.#windower.windowOf(id));
        this.addToKept(kept, key, value, timestamp);
      }
    }
  }

  #addSliding(batch: KeyedBatch<V>, from: number): number {
    const { keys, values } = batch;
    const { timestamps, watermark, now } = this;
    const { fold } = this.options;
    let windows: readonly FixedWindow<A>[] = [];
    let opens = Number.POSITIVE_INFINITY;
    let closes = Number.NEGATIVE_INFINITY;
    let i = from;
    let entered = 0;
    try {
      for (; i < keys.length; i++) {
        entered = 0;
        const timestamp = timestamps.at(i);
        const key = at(keys, i);
        const mark = timestamp - timestamps.waitMs;
        if (mark > watermark.value) watermark.rise(mark, now);
        if (!(timestamp >= opens && timestamp < closes)) {
          windows = this.#findAllOpen(timestamp);
          closes = Number.NEGATIVE_INFINITY;
          if (windows.length === 0) {
            this.setAside(key, at(values, i), i, timestamp);
            continue;
          }
          [opens, closes] = this.#sliceAt(timestamp);
        }
        for (const window of windows) {
          const accumulator = window.cells.get(key);
          if (accumulator === undefined) this.cells.addFirst(window, key, at(values, i), timestamp);
          else {
            const next = fold.add(accumulator, at(values, i), timestamp);
            if (next !== accumulator) window.cells.set(key, next);
            window.changed?.add(key);
          }
          entered++;
        }
        this.outbox.counted++;
      }
    } catch (error) {
      this.skip(batch, i++, error, entered > 0);
    }
    return i;
  }

  #findAllOpen(timestamp: number): readonly FixedWindow<A>[] {
    const windows: FixedWindow<A>[] = [];
    const last = this.#windower.lastIdAt(timestamp);
    for (let id = this.#windower.firstIdAt(timestamp); id <= last; id++) {
      if (this.#windower.closeOf(id) > this.watermark.value) windows.push(this.#takeOpen(id));
    }
    return windows;
  }

  #takeOpen(id: number): FixedWindow<A> {
    return this.table.get(id) ?? this.table.open(this.#windower.windowOf(id));
  }

  /** The range of times around `timestamp` that are in the same windows. */
  #sliceAt(timestamp: number): readonly [from: number, until: number] {
    const windower = this.#windower;
    const first = windower.firstIdAt(timestamp);
    const last = windower.lastIdAt(timestamp);
    return [
      Math.max(windower.openOf(last), windower.closeOf(first - 1)),
      Math.min(windower.openOf(last + 1), windower.closeOf(first)),
    ];
  }
}

/** A window is stored under its id. */
function namesOf(windower: OrdinalWindower): WindowNames {
  return {
    nameOf: ({ id }) => String(id),
    windowOf(name) {
      const id = Number(name);
      return Number.isInteger(id) ? windower.windowOf(id) : damaged("a window's number as group", name);
    },
  };
}
