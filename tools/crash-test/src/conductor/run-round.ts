import { DURABLE } from "./bed.ts";
import type { Bed } from "./bed.ts";
import { SENTINEL_FAULTS, SERVER_FAULTS } from "./faults/index.ts";
import { Round } from "./round.ts";
import type { Faults, RoundPlan, RoundReport } from "./round.ts";
import { SentinelBed } from "./sentinel-bed.ts";
import { TestBed } from "./test-bed.ts";

/**
 * Runs a round: starts with an empty Redis, injects faults, and compares the results with the input; then the same with
 * Sentinels, for the faults that need them.
 *
 * @throws Error when it gets stuck
 */
export async function runRound(plan: RoundPlan): Promise<RoundReport> {
  const server = await runOn(() => TestBed.open({ args: DURABLE }), SERVER_FAULTS, plan);
  const sentinels = await runOn(() => SentinelBed.open(), SENTINEL_FAULTS, plan);
  return {
    events: server.events + sentinels.events,
    rows: server.rows + sentinels.rows,
    resent: server.resent + sentinels.resent,
    deaths: [...server.deaths, ...sentinels.deaths],
    problems: [...server.problems, ...sentinels.problems],
  };
}

/** Injects the plan's faults for this kind of test bed; does nothing if there are none. */
async function runOn<B extends Bed>(
  open: () => Promise<B>,
  faults: Faults<B>,
  plan: RoundPlan,
): Promise<RoundReport> {
  const names = plan.faults.filter((name) => name in faults);
  if (names.length === 0) return { events: 0, rows: 0, resent: 0, deaths: [], problems: [] };
  return Round.run(open, { ...plan, faults: names }, faults);
}
