import type { Windows } from "@millrace/observe/api";
import { areZones } from "../map/zones.ts";
import type { Action, KeySearch, State } from "../state/model.ts";
import { shownRun, shownWindow, shownWindows } from "../state/select.ts";
import { ApiError, getJson } from "./api.ts";

type Dispatch = (action: Action) => void;

/** Time zones that the map can show. */
const MAP_ROWS = 600;
const SEARCHED_WINDOWS = 30;
const LOAD_EVERY_MS = 1_000;
const SEARCH_EVERY_MS = 2_000;

/** Loads all rows of the shown window where the map needs more than the top ones. */
export class RowsLoader {
  readonly #dispatch: Dispatch;
  #busy = false;
  #loadedAt = 0;

  constructor(dispatch: Dispatch) {
    this.#dispatch = dispatch;
  }

  /** To be called after each change of the state. */
  readonly watch = (state: State): void => {
    const run = shownRun(state);
    if (run === null || state.connection.phase !== "live" || document.hidden) return;
    if (this.#busy || Date.now() - this.#loadedAt < LOAD_EVERY_MS) return;
    const window = shownWindow(shownWindows(run, state.step), state.picked);
    if (window === undefined || window.rest.rows === 0 || !window.rowsKept) return;
    // What is shown while the page is paused does not become newer.
    const same = state.frozen !== null || state.rows?.updatedAt === window.updatedAt;
    if (state.rows?.id === window.id && same) return;
    if (areZones(window.top.map(({ key }) => key))) void this.#load(window.id);
  };

  async #load(id: string): Promise<void> {
    this.#busy = true;
    this.#loadedAt = Date.now();
    try {
      const path = `api/windows?window=${encodeURIComponent(id)}&rows=${MAP_ROWS}`;
      const [window] = (await getJson<Windows>(path)).windows;
      if (window !== undefined) {
        this.#dispatch({ type: "rows", rows: { id, updatedAt: window.updatedAt, rows: window.top } });
      }
    } catch {
      // The map shows the top rows until the next attempt; the state of the connection is shown in any case.
    } finally {
      this.#busy = false;
    }
  }
}

/** Finds the rows of a key, and keeps them current. */
export class KeyLoader {
  readonly #dispatch: Dispatch;
  #key: string | null = null;
  #loadedAt = 0;

  constructor(dispatch: Dispatch) {
    this.#dispatch = dispatch;
  }

  search(key: string): void {
    this.#key = key === "" ? null : key;
    this.#dispatch({
      type: "search",
      search: this.#key === null ? null : { key, result: { phase: "loading" } },
    });
    if (this.#key !== null) void this.#load(key);
  }

  /** To be called after each change of the state. */
  readonly watch = (state: State): void => {
    if (this.#key === null || state.frozen !== null || document.hidden) return;
    if (state.connection.phase === "live" && Date.now() - this.#loadedAt >= SEARCH_EVERY_MS) {
      void this.#load(this.#key);
    }
  };

  async #load(key: string): Promise<void> {
    this.#loadedAt = Date.now();
    const result = await rowsOf(key);
    if (this.#key === key) this.#dispatch({ type: "search", search: { key, result } });
  }
}

async function rowsOf(key: string): Promise<KeySearch["result"]> {
  try {
    const path = `api/windows?key=${encodeURIComponent(key)}&limit=${SEARCHED_WINDOWS}`;
    return { phase: "found", windows: (await getJson<Windows>(path)).windows };
  } catch (error) {
    return {
      phase: "failed",
      reason: error instanceof ApiError ? error.message : "The server does not answer.",
    };
  }
}
