import {
  createWindowEngine,
  type WindowEngine,
  type WindowEngineOptions,
  type WindowOutput,
} from "../src/index.ts";
import type { Step } from "./items.ts";
import { StateStore } from "./state-store.ts";
import type { Item } from "./subject.ts";

export type ItemEngine = WindowEngine<Item, unknown>;

/** What one call brought out, pages and all. */
export interface CallOutput {
  readonly call: number;
  readonly output: WindowOutput<Item, unknown>;
}

/** Runs an engine through the calls and, where the input ends, to its end. */
export function drive(
  options: WindowEngineOptions<Item, unknown, unknown>,
  steps: readonly Step[],
  { eof, wakeOnRestart }: { readonly eof: boolean; readonly wakeOnRestart: boolean },
): { readonly outputs: readonly CallOutput[]; readonly engine: ItemEngine } {
  const store = new StateStore();
  const outputs: CallOutput[] = [];
  let engine = createWindowEngine(options);
  const take = (call: number, output: WindowOutput<Item, unknown>): void => {
    outputs.push({ call, output });
    while (engine.pending) outputs.push({ call, output: engine.nextPage() });
  };
  steps.forEach((step, call) => {
    switch (step.do) {
      case "process":
        take(call, engine.process(step, step.now));
        return;
      case "tick":
        take(call, engine.advance(step.now));
        return;
      case "drained":
        take(call, engine.drained(step.now));
        return;
      case "restart":
        // A restart takes no time: what has passed since the last item passed before it.
        take(call, engine.advance(step.now));
        store.apply(engine.snapshot());
        engine = createWindowEngine(options);
        engine.restore(store.load(), step.now);
        if (wakeOnRestart) take(call, engine.advance(step.now));
    }
  });
  if (eof) take(steps.length, engine.finish("end"));
  return { outputs, engine };
}
