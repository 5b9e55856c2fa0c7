import { damaged } from "../fields.ts";
import type { FoldPart, PartChanges } from "../fold.ts";
import type { Json } from "../json.ts";
import { fromChunks, toChunks } from "./chunks.ts";

/** A list that only grows, or is emptied as a whole. It is stored in chunks, so that a commit costs only the new items. */
export class GrowingList<T> {
  readonly items: T[] = [];
  /** How many of the items are in stored chunks. */
  #kept: number;
  /** Numbers of the stored chunks: from `#first` to below `#next`. */
  #first = 0;
  #next = 0;
  /** Chunks from this number to below `#first` are stored and not needed any more. */
  #gone = 0;

  /** @param kept how many items `restore` must add */
  constructor(kept = 0) {
    this.#kept = kept;
  }

  clear(): void {
    this.items.length = 0;
    this.#kept = 0;
    this.#first = this.#next;
  }

  /** The changes since the last call. */
  changes(toJson: (item: T) => Json): PartChanges {
    const fresh = this.items.slice(this.#kept);
    const put = toChunks(fresh.map(toJson), this.#next);
    const gone = Array.from({ length: this.#first - this.#gone }, (_, index) => String(this.#gone + index));
    this.#kept = this.items.length;
    this.#next += put.length;
    this.#gone = this.#first;
    return { put, delete: gone };
  }

  /** Restores the stored items. @throws WindowStateError if some are missing */
  restore(parts: readonly FoldPart[], fromJson: (json: Json) => T): void {
    const { elements, first, next } = fromChunks(parts);
    if (elements.length !== this.#kept) damaged(`${String(this.#kept)} elements`, elements.length);
    for (const element of elements) this.items.push(fromJson(element));
    this.#first = first;
    this.#gone = first;
    this.#next = next;
  }
}
