import { readable } from "./bars.ts";
import type { Reconciliation } from "./reconciliation.ts";
import type { Screen } from "./screen.ts";

/** In the order in which events meet them. */
const MEANING = [
  ["published", "by the publisher, once Redis had taken them"],
  ["received", "by the aggregator's source"],
  ["decoded", "of these, click events"],
  ["malformed", "of these, something else"],
  ["blank", "of these, empty lines"],
  ["counted", "in the windows"],
  ["late", "came after their window had closed"],
  ["lost", "known to be gone, as measured"],
  ["unaccounted", "explained by none of these: must be 0"],
] as const satisfies readonly (readonly [keyof Reconciliation, string])[];

/** Prints where every event went. */
export function showReconciliation(sums: Reconciliation, screen: Screen): void {
  for (const [name, meaning] of MEANING) {
    const style = name !== "unaccounted" ? "bold" : sums[name] === 0 ? "green" : "red";
    const events = screen.style(style, readable(sums[name]).padStart(9));
    screen.line(`  ${name.padEnd(12)} ${events}   ${screen.style("dim", meaning)}`);
  }
}
