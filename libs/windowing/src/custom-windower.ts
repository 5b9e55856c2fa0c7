import { WindowSpecError } from "./errors.ts";
import { NO_IDS, type OrdinalWindow } from "./window.ts";

/** A window that a windower of one's own gives to a timestamp: half open, `[open, close)`. */
export interface CustomWindow {
  /** A whole number, such as 20260329 for a day. Of one windower's windows no two have the same. */
  readonly id: number;
  /** Whole ms since the epoch, inclusive. */
  readonly open: number;
  /** Whole ms since the epoch, exclusive. */
  readonly close: number;
}

/**
 * Windows of one's own, for the time model `stream`: any that follow from an event's time alone, such as calendar days.
 * `docs/write-a-windower.md` shows one, and `windowerConformance` of `@millrace/windowing/testing` checks it.
 */
export interface CustomWindower {
  readonly kind: "custom";
  /**
   * All that the windows depend on, such as `days in Europe/Madrid`. It is kept with the state, and state of another
   * description is refused; it is shown where the engine is explained.
   */
  readonly description: string;
  /**
   * Whether no two windows overlap. The engine then asks once for each window instead of once for each event.
   *
   * @default false
   */
  readonly exclusive?: boolean;
  /**
   * The windows that hold a timestamp (ms since the epoch): at least one, always the same ones. Each of them must be
   * among those of every timestamp in it.
   */
  assign(timestamp: number): readonly CustomWindow[];
}

/** The windows of a timestamp, as the engine keeps them. @throws WindowSpecError if they are no such windows */
export function assignedWindows(windower: CustomWindower, timestamp: number): readonly OrdinalWindow[] {
  const windows = windower.assign(timestamp);
  const refuse = (what: string): never => {
    throw new WindowSpecError(
      `The windower "${windower.description}" gives the timestamp ${String(timestamp)} ${what}. Run windowerConformance on it.`,
    );
  };
  if (windows.length === 0) refuse("no window");
  if (windower.exclusive === true && windows.length > 1) refuse("more than one window, but is exclusive");
  return windows.map(({ id, open, close }) => {
    if (!Number.isSafeInteger(id))
      refuse(`a window with the id ${JSON.stringify(id)}, which is no whole number`);
    const whole = Number.isSafeInteger(open) && Number.isSafeInteger(close);
    if (!whole || open > timestamp || timestamp >= close) {
      refuse(`the window [${String(open)}, ${String(close)}), which does not hold it in whole ms`);
    }
    return { id, open, close, mergedIds: NO_IDS };
  });
}

/** Refuses a windower without a description. @throws WindowSpecError */
export function requireDescription({ description }: CustomWindower): void {
  if (typeof description === "string" && description.trim() !== "") return;
  throw new WindowSpecError(
    "A windower of your own has no description: name all that its windows depend on, such as `days in Europe/Madrid`.",
  );
}
