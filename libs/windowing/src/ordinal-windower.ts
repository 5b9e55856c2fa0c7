import { NO_IDS, type OrdinalWindow } from "./window.ts";

/**
 * Windows with numbers: each depends on its number alone, a later one neither opens nor closes before an earlier one, and
 * numbers below 0 are as good as any.
 */
export abstract class OrdinalWindower {
  /** Everything that the windows depend on. State with another description is refused. */
  abstract readonly description: string;
  /** Whether no two windows overlap. */
  abstract readonly exclusive: boolean;

  /** When the window opens (ms), inclusive. */
  abstract openOf(id: number): number;

  /** When the window closes (ms), exclusive. */
  abstract closeOf(id: number): number;

  /** The id of the last window that is open at `timestamp`. */
  abstract lastIdAt(timestamp: number): number;

  /** The id of the first window that is open at `timestamp`. */
  abstract firstIdAt(timestamp: number): number;

  /** The window of an id. */
  windowOf(id: number): OrdinalWindow {
    return { id, open: this.openOf(id), close: this.closeOf(id), mergedIds: NO_IDS };
  }

  /** Ids of the windows that hold `timestamp`, ascending. */
  idsAt(timestamp: number): readonly number[] {
    const ids: number[] = [];
    for (let id = this.firstIdAt(timestamp); id <= this.lastIdAt(timestamp); id++) ids.push(id);
    return ids;
  }

  /** The windows that hold `timestamp`, ascending. */
  windowsAt(timestamp: number): readonly OrdinalWindow[] {
    return this.idsAt(timestamp).map((id) => this.windowOf(id));
  }
}
