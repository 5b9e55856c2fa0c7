import { foldWithin } from "./fold-state.ts";
import { orderedFold } from "./ordered-fold.ts";
import { Outbox } from "./outbox.ts";
import { PerKeyEngine } from "./per-key/per-key-engine.ts";
import { CustomEngine } from "./stream/custom-engine.ts";
import { FixedEngine } from "./stream/fixed-engine.ts";
import { SessionEngine } from "./stream/session-engine.ts";
import { resolveOptions, type ResolvedOptions, type WindowEngineOptions } from "./window-engine-options.ts";
import type { WindowEngine } from "./window-engine.ts";

/** Builds the engine for a combination of windower, clock, fold and time model. @throws WindowOptionsError */
export function createWindowEngine<V, A, R>(options: WindowEngineOptions<V, A, R>): WindowEngine<V, R> {
  const resolved = resolveOptions(options);
  if (resolved.timeModel === "perKey" || !resolved.ordered) return createEngine(resolved);
  const { fold, valueCodec, maxOrderedEvents } = resolved;
  const ordered = orderedFold(fold, valueCodec, maxOrderedEvents);
  return createEngine({ ...resolved, fold: ordered, tried: ordered });
}

function createEngine<V, A, R>(given: ResolvedOptions<V, A, R>): WindowEngine<V, R> {
  const outbox = new Outbox<V, R>(given.pageSize);
  const fold = foldWithin(given.fold, given.room, (values) => {
    outbox.overflowedValues += values;
  });
  // The heap of an empty accumulator is covered by the bound on keys.
  const maxKeys = Math.max(given.maxKeys / (1 + (fold.growth?.accumulators ?? 0)), 1);
  const options = { ...given, fold, maxKeys };
  const { timeModel, windower } = options;
  // "perKey" has refused such a windower.
  if (windower.kind === "custom") return new CustomEngine(options, outbox, windower);
  if (timeModel === "perKey") return new PerKeyEngine({ ...options, windower }, outbox);
  return windower.kind === "session"
    ? new SessionEngine(options, outbox, windower)
    : new FixedEngine(options, outbox, windower);
}
