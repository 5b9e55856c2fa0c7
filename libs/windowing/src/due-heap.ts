import { at } from "./at.ts";

/** An item of a heap, ordered by `due`, then by `order`. `slot` belongs to the heap; −1 = in none. */
export interface HeapItem {
  due: number;
  readonly order: number;
  slot: number;
}

/** A binary heap that knows the slots of its items, so that an item can be moved or removed in O(log n). */
export class DueHeap<T extends HeapItem> {
  readonly #items: T[] = [];

  get size(): number {
    return this.#items.length;
  }

  /** The item that is due first. */
  peek(): T | undefined {
    return this.#items[0];
  }

  /** Adds an item that is in no heap. */
  push(item: T): void {
    this.#items.push(item);
    this.#rise(item, this.#items.length - 1);
  }

  /** Removes an item of this heap. */
  remove(item: T): void {
    const { slot } = item;
    item.slot = -1;
    const last = this.#items.pop();
    if (last === undefined || last === item) return;
    this.#rise(last, slot);
    this.#sink(last, last.slot);
  }

  /** Changes when an item of this heap is due. */
  move(item: T, due: number): void {
    item.due = due;
    this.#rise(item, item.slot);
    this.#sink(item, item.slot);
  }

  /** All items, in no order. */
  [Symbol.iterator](): IterableIterator<T> {
    return this.#items.values();
  }

  #rise(item: T, from: number): void {
    const items = this.#items;
    let slot = from;
    while (slot > 0) {
      const above = (slot - 1) >> 1;
      const parent = at(items, above);
      if (!isBefore(item, parent)) break;
      items[slot] = parent;
      parent.slot = slot;
      slot = above;
    }
    items[slot] = item;
    item.slot = slot;
  }

  #sink(item: T, from: number): void {
    const items = this.#items;
    let slot = from;
    for (;;) {
      const left = 2 * slot + 1;
      if (left >= items.length) break;
      const right = left + 1;
      let below = at(items, left);
      if (right < items.length && isBefore(at(items, right), below)) below = at(items, right);
      if (!isBefore(below, item)) break;
      const next = below.slot;
      items[slot] = below;
      below.slot = slot;
      slot = next;
    }
    items[slot] = item;
    item.slot = slot;
  }
}

function isBefore(a: HeapItem, b: HeapItem): boolean {
  return a.due < b.due || (a.due === b.due && a.order < b.order);
}
