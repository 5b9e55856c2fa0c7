import { WindowStateError } from "./errors.ts";
import { kindOf } from "./fold-state.ts";
import { resolveOptions } from "./window-engine-options.ts";
import type { ResolvedOptions, WindowEngineOptions } from "./window-engine-options.ts";
import type { Windower } from "./windower.ts";

/** Raised whenever the format of the state changes. */
const STATE_VERSION = 3;

/** The options of an engine that its state depends on. */
interface SpecOptions extends Pick<
  ResolvedOptions<never, unknown, unknown>,
  "timeModel" | "windower" | "ordered"
> {
  readonly fold: { readonly kind?: string };
}

/** What stored state depends on: the engine that restores it must have the same. */
export function specOf({ timeModel, windower, ordered, fold }: SpecOptions): string {
  return `v${String(STATE_VERSION)} ${timeModel} ${windowsOf(windower)}${ordered ? " ordered" : ""} fold=${kindOf(fold)}`;
}

function windowsOf(windower: Windower): string {
  switch (windower.kind) {
    case "session":
      return `session gap=${String(windower.gapMs)}`;
    case "custom":
      return `custom ${JSON.stringify(windower.description)}`;
    default:
      return windower.description;
  }
}

/**
 * What the state of an engine with these options depends on: state with another description cannot be restored.
 *
 * @throws WindowOptionsError
 */
export function stateSpecOf<V, A, R>(options: WindowEngineOptions<V, A, R>): string {
  return specOf(resolveOptions(options));
}

/** Refuses the state of another version or specification. @throws WindowStateError */
export function requireSameSpec(saved: string, own: string): void {
  if (saved === own) return;
  throw new WindowStateError(
    `The stored window state was written by "${saved}", and this engine is "${own}". Their windows or values differ: ` +
      "give the step another id to start without state, or go back to the stored specification.",
  );
}
