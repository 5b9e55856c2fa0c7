import { orderedFold } from "./ordered-fold.ts";
import { PerKeyEngine } from "./per-key/per-key-engine.ts";
import { FixedEngine } from "./stream/fixed-engine.ts";
import { SessionEngine } from "./stream/session-engine.ts";
import { resolveOptions, type ResolvedOptions, type WindowEngineOptions } from "./window-engine-options.ts";
import type { WindowEngine } from "./window-engine.ts";

/** Builds the engine for a combination of windower, clock, fold and time model. @throws WindowOptionsError */
export function createWindowEngine<V, A, R>(options: WindowEngineOptions<V, A, R>): WindowEngine<V, R> {
  const resolved = resolveOptions(options);
  if (resolved.timeModel === "perKey") return new PerKeyEngine(resolved);
  if (!resolved.ordered) return createStreamEngine(resolved);
  return createStreamEngine({ ...resolved, fold: orderedFold(resolved.fold, resolved.valueCodec) });
}

function createStreamEngine<V, A, R>(options: ResolvedOptions<V, A, R>): WindowEngine<V, R> {
  const { windower } = options;
  return windower.kind === "session"
    ? new SessionEngine(options, windower)
    : new FixedEngine(options, windower);
}
