import type { Temporal } from "temporal-polyfill";

import { WindowSpecError } from "./errors.ts";

type TemporalApi = typeof Temporal;

/** What this library needs of Node, whose types it does not have. */
interface Process {
  getBuiltinModule(name: "node:module"): {
    createRequire(from: string): (name: "temporal-polyfill") => { readonly Temporal: TemporalApi };
  };
}

declare const process: Process;

let loaded: TemporalApi | undefined;

/**
 * The calendar of the language, where the runtime has it, else its polyfill. That is loaded by the first call: it takes
 * longer than all the rest of this library, and most flows have no calendar.
 *
 * @throws WindowSpecError if there is neither
 */
export function temporal(): TemporalApi {
  loaded ??= (globalThis as { readonly Temporal?: TemporalApi }).Temporal ?? loadPolyfill();
  return loaded;
}

function loadPolyfill(): TemporalApi {
  try {
    const { url } = import.meta as ImportMeta & { readonly url: string };
    // Unlike an import, it is synchronous, as `tumbling` is.
    return process.getBuiltinModule("node:module").createRequire(url)("temporal-polyfill").Temporal;
  } catch (error) {
    throw new WindowSpecError(
      "Windows in a time zone need Temporal, which this runtime does not have, and the package temporal-polyfill could " +
        'not be loaded. Load it yourself before: import "temporal-polyfill/global". Jest before Node 24.9 needs that, and ' +
        "so do bundles.",
      { cause: error },
    );
  }
}
