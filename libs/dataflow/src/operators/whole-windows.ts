import type { CalendarWindower, FixedWindower, Window, Windower } from "@millrace/windowing";
import type { StepContext } from "./step-context.ts";

/**
 * Leaves out the results of windows that a step reads in part, since its task began in the middle of its input, or since the
 * step was added later and began empty: such a row would replace a complete one, or be taken for one.
 *
 * An event happens before it is published, so all events of a window that opens after the beginning are read. Of a session
 * that begins soon after it, an earlier event may be missing.
 */
export class WholeWindows {
  readonly #context: StepContext;
  readonly #windower: Windower;
  readonly #resultsBefore: (readFrom: number) => number;
  /** The step itself reads all from this time on, ms. */
  #begun = Number.NEGATIVE_INFINITY;
  /** The latest close of a window that was left out, ms. */
  #lastClose = Number.NEGATIVE_INFINITY;

  /** @param resultsBefore for windows over results of windows: their {@link resultsFrom}; −Infinity for others */
  constructor(context: StepContext, windower: Windower, resultsBefore: (readFrom: number) => number) {
    this.#context = context;
    this.#windower = windower;
    this.#resultsBefore = resultsBefore;
  }

  /** The step began empty. @param from time (ms) from which on it reads all */
  begin(from: number): void {
    this.#begun = from;
  }

  /** Whether some windows have no row. */
  get leavesOut(): boolean {
    return this.#from > Number.NEGATIVE_INFINITY;
  }

  /** Whether all events of a window were read. Logs the first one of which some were not. */
  has(window: Window): boolean {
    const reachMs = reachOf(this.#windower);
    if (window.open - reachMs >= this.#from) return true;
    if (this.#lastClose === Number.NEGATIVE_INFINITY) this.#log(window, reachMs);
    this.#lastClose = Math.max(this.#lastClose, window.close);
    return false;
  }

  /**
   * The time (ms) from which on no result is missing, as the windows over these results see it.
   *
   * @param readFrom time (ms) from which on they read all that comes of the input
   */
  resultsFrom(readFrom: number): number {
    const from = this.#fromFor(Math.max(this.#begun, readFrom));
    if (from === Number.NEGATIVE_INFINITY) return from;
    const windower = this.#windower;
    if (windower.kind === "session" || windower.kind === "custom") {
      return Math.max(from + reachOf(windower), this.#lastClose);
    }
    return lastCloseBefore(windower, from);
  }

  get #from(): number {
    return this.#fromFor(this.#begun);
  }

  #fromFor(readFrom: number): number {
    return Math.max(this.#context.wholeFrom(), readFrom, this.#resultsBefore(readFrom));
  }

  #log({ open, close }: Window, reachMs: number): void {
    const { step, part, logger } = this.#context;
    const from = this.#from + reachMs;
    const known = Number.isFinite(from) ? `before ${new Date(from).toISOString()}` : "too early";
    logger.info(
      { event: "windows-left-out", step, part, open, close, ...(Number.isFinite(from) ? { from } : {}) },
      `step "${step}", partition "${part}": the window from ${open} to ${close} began ${known}, and is read in part: it and ` +
        "others like it have no rows, in this run and in later ones, and rows that are kept of them stay",
    );
  }
}

/** How long before a window opens events may still belong to it, ms: of sessions the gap. */
export function reachOf(windower: Windower): number {
  return windower.kind === "session" ? windower.gapMs : 0;
}

/** When the last window closes that opens before a time, ms. */
export function lastCloseBefore(windower: CalendarWindower | FixedWindower, time: number): number {
  const last = windower.lastIdAt(time);
  return windower.closeOf(windower.openOf(last) < time ? last : last - 1);
}
