import { WindowSpecError } from "./errors.ts";
import { NO_IDS, type OrdinalWindow } from "./window.ts";

/** A window that a user's own windower assigns to a timestamp: half open, `[open, close)`. */
export interface CustomWindow {
  /** A whole number, such as 20260329 for a day, unique among the windows of a windower. */
  readonly id: number;
  /** Whole ms since the epoch, inclusive. */
  readonly open: number;
  /** Whole ms since the epoch, exclusive. */
  readonly close: number;
}

/**
 * A user's own windows, for the time model `stream`: any that depend on an event's time alone, such as calendar days.
 * `docs/write-a-windower.md` has an example, and `windowerConformance` of `@millrace/windowing/testing` checks it.
 */
export interface CustomWindower {
  readonly kind: "custom";
  /**
   * Everything that the windows depend on, such as `days in Europe/Madrid`. It is stored with the state, and state with
   * another description is refused. `explain` shows it.
   */
  readonly description: string;
  /**
   * Whether no two windows overlap. The engine then asks once for each window instead of once for each event.
   *
   * @default false
   */
  readonly exclusive?: boolean;
  /**
   * The windows that contain a timestamp (ms since the epoch): at least one, always the same ones. Each of them must be
   * assigned to every timestamp in it.
   */
  assign(timestamp: number): readonly CustomWindow[];
}

/** The windows of a timestamp, as the engine keeps them. @throws WindowSpecError for invalid windows */
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
    "A custom windower needs a description that names all that its windows depend on, such as `days in Europe/Madrid`.",
  );
}
