import type { Mutant } from "../mutant.ts";

/** Mutants of libs/windowing. */
export const WINDOWING: readonly Mutant[] = [
  {
    id: "watermark-rounding",
    file: "libs/windowing/src/stream/stream-watermark.ts",
    search: "return this.base + (instant - this.at) >= target ? instant : instant + 1;",
    replace: "return instant;",
    tests: ["libs/windowing/test/next-wake.test.ts", "libs/windowing/test/clock.test.ts"],
    guard: "fractions of milliseconds would make the task wake at the same instant for ever",
  },
  {
    id: "merged-session-revised",
    file: "libs/windowing/src/stream/session-engine.ts",
    search: "    this.#revised.delete(later);\n",
    replace: "",
    tests: ["libs/windowing/test/lateness.test.ts", "libs/windowing/test/stream-properties.test.ts"],
    guard: "a session that was merged away would get a revision of its own",
  },
  {
    id: "session-row-before-change",
    file: "libs/windowing/src/stream/session-engine.ts",
    search: "session.sent ??= fold.snapshot(session.accumulator);",
    replace: "session.sent = fold.snapshot(session.accumulator);",
    tests: ["libs/windowing/test/lateness.test.ts", "libs/windowing/test/stream-properties.test.ts"],
    guard: "a revision would name as the row before it one that never left",
  },
  {
    id: "arrival-bound",
    file: "libs/windowing/src/timestamps.ts",
    search: "(Number.isNaN(arrival) ? this.#now : arrival)",
    replace: "this.#now",
    tests: ["libs/windowing/test/clock.test.ts"],
    guard: "a replay would take timestamps from the future that the first run refused",
  },
  {
    id: "state-of-other-windows",
    file: "libs/windowing/src/state-spec.ts",
    search: "if (saved === own) return;",
    replace: "return;",
    tests: ["libs/windowing/test/state.test.ts"],
    guard: "state of windows of another length would be taken up as if it were of these",
  },
];
