import { readable } from "./bars.ts";
import type { Reconciliation } from "./reconciliation.ts";
import type { Screen } from "./screen.ts";

/** In the order of the stages that an event passes. */
const MEANING = [
  ["published", "by the publisher, and accepted by Redis"],
  ["received", "by the aggregator's source"],
  ["decoded", "of these, click events"],
  ["malformed", "of these, invalid lines"],
  ["blank", "of these, empty lines"],
  ["counted", "in the windows"],
  ["late", "arrived after their window had closed"],
  ["lost", "known to be lost, as measured"],
  ["unaccounted", "in no other count: must be 0"],
] as const satisfies readonly (readonly [keyof Reconciliation, string])[];

/** Prints the counts of all stages. */
export function showReconciliation(sums: Reconciliation, screen: Screen): void {
  for (const [name, meaning] of MEANING) {
    const style = name !== "unaccounted" ? "bold" : sums[name] === 0 ? "green" : "red";
    const events = screen.style(style, readable(sums[name]).padStart(9));
    screen.line(`  ${name.padEnd(12)} ${events}   ${screen.style("dim", meaning)}`);
  }
}
