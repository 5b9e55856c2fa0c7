import { DueHeap } from "../due-heap.ts";
import type { Fold } from "../fold.ts";
import { isOver } from "../late-events.ts";
import type { StateChange, StateField } from "../window-engine.ts";
import type { ResolvedOptions } from "../window-engine-options.ts";
import type { OrdinalWindow } from "../window.ts";
import { FixedCodec, type FieldChanges } from "./fixed-codec.ts";
import { FixedWindow } from "./fixed-window.ts";

/** How windows are named in state. */
export interface WindowNames {
  /** The name of a window's group; it does not end with `+`. */
  readonly nameOf: (window: OrdinalWindow) => string;
  /** The window of a name. @throws WindowStateError if there is none */
  readonly windowOf: (name: string) => OrdinalWindow;
}

/** A window's group has its name; events that came late while its rows were emitted have another group. */
const AFTER = "+";

/** The windows held, in the order in which they become due, with the changes since the last snapshot. */
export class FixedTable<V, A, R> {
  /** Windows with rows still to emit, first due first. */
  readonly due = new DueHeap<FixedWindow<A>>();
  /** Windows kept for late events, first freed first. */
  readonly kept = new DueHeap<FixedWindow<A>>();
  readonly #windows = new Map<number, FixedWindow<A>>();
  readonly #names: WindowNames;
  readonly #fold: Fold<V, A, R>;
  readonly #codec: FixedCodec<V, A, R>;
  readonly #latenessMs: number;
  #tracking = false;
  #dropped: string[] = [];

  constructor(names: WindowNames, options: ResolvedOptions<V, A, R>) {
    const { fold, room, allowedLatenessMs } = options;
    this.#names = names;
    this.#fold = fold;
    this.#codec = new FixedCodec(fold, room, allowedLatenessMs > 0);
    this.#latenessMs = allowedLatenessMs;
  }

  get size(): number {
    return this.#windows.size;
  }

  get(id: number): FixedWindow<A> | undefined {
    return this.#windows.get(id);
  }

  values(): Iterable<FixedWindow<A>> {
    return this.#windows.values();
  }

  /** A window for events that may still come: due at its close. */
  open(given: OrdinalWindow): FixedWindow<A> {
    const window = this.#create(given);
    this.due.push(window);
    return window;
  }

  /** A window that had closed before its first event came. */
  openKept(given: OrdinalWindow): FixedWindow<A> {
    const window = this.#create(given);
    this.#keep(window);
    return window;
  }

  /** All rows are out: keeps the window while late events may change it, else frees it. */
  closed(window: FixedWindow<A>, watermark: number): void {
    this.due.remove(window);
    window.cursor = undefined;
    window.touched = undefined;
    if (isOver(window.close, this.#latenessMs, watermark) && window.after === undefined) this.#free(window);
    else this.#keep(window);
  }

  /** Late events that waited for the rows are added: they need no group any more. */
  afterTaken(window: FixedWindow<A>): void {
    this.#release(window.after);
    window.after = undefined;
    window.changedAfter?.clear();
    if (window.persistedAfter) this.#dropped.push(this.#groupOfAfter(window));
    window.persistedAfter = false;
  }

  expire(watermark: number): void {
    let window = this.kept.peek();
    while (window !== undefined && window.due <= watermark) {
      this.kept.remove(window);
      this.#free(window);
      window = this.kept.peek();
    }
  }

  snapshot(): StateChange[] {
    const changes: StateChange[] = this.#dropped.map((group) => ({ group, drop: true }));
    this.#dropped = [];
    for (const window of this.#windows.values()) {
      const cells = this.#tracking ? this.#codec.changedCells(window) : this.#codec.allCells(window);
      addChange(changes, this.#names.nameOf(window.window), cells);
      window.persisted ||= cells.put.length > 0;

      const after = this.#tracking ? this.#codec.changedAfter(window) : this.#codec.allAfter(window);
      addChange(changes, this.#groupOfAfter(window), after);
      window.persistedAfter ||= after.put.length > 0;

      this.#track(window);
    }
    this.#tracking = true;
    return changes;
  }

  restoreGroup(group: string, fields: Iterable<StateField>): void {
    const isAfter = group.endsWith(AFTER);
    const given = this.#names.windowOf(isAfter ? group.slice(0, -AFTER.length) : group);
    const window = this.#windows.get(given.id) ?? this.#create(given);
    if (isAfter) this.#codec.restoreAfter(window, fields);
    else this.#codec.restoreCells(window, fields);
    if (isAfter) window.persistedAfter = true;
    else window.persisted = true;
  }

  /** After the last group: moves every window to its heap. */
  restored(): void {
    for (const window of this.#windows.values()) {
      this.#track(window);
      if (window.out < window.cells.size || window.after !== undefined) this.due.push(window);
      else this.#keep(window);
    }
    this.#tracking = true;
  }

  #create(given: OrdinalWindow): FixedWindow<A> {
    const window = new FixedWindow<A>(given);
    if (this.#tracking) this.#track(window);
    this.#windows.set(given.id, window);
    return window;
  }

  #groupOfAfter({ window }: FixedWindow<A>): string {
    return `${this.#names.nameOf(window)}${AFTER}`;
  }

  #keep(window: FixedWindow<A>): void {
    window.kept = true;
    window.due = window.close + this.#latenessMs;
    this.kept.push(window);
  }

  #free(window: FixedWindow<A>): void {
    this.#release(window.cells);
    this.#release(window.after);
    this.#windows.delete(window.window.id);
    if (window.persisted) this.#dropped.push(this.#names.nameOf(window.window));
    if (window.persistedAfter) this.#dropped.push(this.#groupOfAfter(window));
  }

  #release(cells: ReadonlyMap<string, A> | undefined): void {
    const { growth } = this.#fold;
    if (cells === undefined || growth === undefined) return;
    for (const accumulator of cells.values()) growth.release(accumulator);
  }

  /** From now on changes are recorded. */
  #track(window: FixedWindow<A>): void {
    window.changed = emptied(window.changed);
    window.changedAfter = emptied(window.changedAfter);
    window.justOut = [];
  }
}

function addChange(changes: StateChange[], group: string, { put, delete: gone }: FieldChanges): void {
  if (gone.length > 0) changes.push({ group, put, delete: gone });
  else if (put.length > 0) changes.push({ group, put });
}

function emptied(changed: Set<string> | undefined): Set<string> {
  changed?.clear();
  return changed ?? new Set();
}
