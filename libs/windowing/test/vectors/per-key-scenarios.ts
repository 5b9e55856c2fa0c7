import { event, restart, session, sliding, tick, together, tumbling } from "./build.ts";
import { Random, randomItems, randomWindower } from "./random.ts";
import type { PerKeyScenario } from "./scenario.ts";

const SEEDS = 70;

const DEFAULTS = {
  clock: { type: "event", wait_ms: 0 },
  windower: tumbling(10),
  op: "fold_list",
  ordered: true,
  eof: true,
} as const;

function scenario(given: Pick<PerKeyScenario, "id" | "items"> & Partial<PerKeyScenario>): PerKeyScenario {
  return { ...DEFAULTS, ...given };
}

/** One rule each. */
const NAMED: readonly PerKeyScenario[] = [
  scenario({
    id: "a-watermark-for-each-key",
    note: "one key's event closes no window of another",
    items: [event("a", 3, 0), event("b", 25, 0), event("a", 4, 0), event("a", 10, 0), event("b", 4, 0)],
  }),
  scenario({
    id: "before-the-watermark-is-late",
    note: "though its window is open",
    items: [event("a", 8, 0), event("a", 7, 0), event("a", 8, 0)],
  }),
  scenario({
    id: "time-goes-on",
    note: "the watermark follows system time without a proof that nothing was left to read",
    items: [event("a", 3, 0), tick(6), tick(7), event("a", 9, 8)],
    eof: false,
  }),
  scenario({
    id: "wait",
    clock: { type: "event", wait_ms: 5 },
    items: [event("a", 8, 0), event("a", 3, 0), event("a", 2, 0), tick(6), tick(7)],
  }),
  scenario({
    id: "unbounded-wait",
    clock: { type: "event", wait_ms: "max" },
    items: [event("a", 25, 0), event("a", 3, 0), tick(1_000), event("a", 12, 1_000)],
  }),
  scenario({
    id: "replayed-in-order",
    clock: { type: "event", wait_ms: 20 },
    items: [event("a", 8, 0, 80), event("a", 2, 0, 20), event("a", 8, 0, 81), event("a", 5, 0, 50)],
  }),
  scenario({
    id: "unordered",
    clock: { type: "event", wait_ms: 20 },
    ordered: false,
    op: "fold_sum",
    items: [event("a", 8, 0), event("a", 2, 0), event("a", 30, 0)],
  }),
  scenario({
    id: "sliding",
    windower: sliding(10, 4),
    clock: { type: "event", wait_ms: 3 },
    items: [event("a", 5, 0), event("a", 8, 0), event("a", 12, 0), tick(5)],
  }),
  scenario({
    id: "negative-times",
    items: [event("a", -11, 0), event("a", -1, 0), event("a", 0, 0)],
  }),
  scenario({
    id: "a-window-opens-once",
    note: "the key's clock stays when its last window has closed",
    items: [event("a", 5, 5), tick(15), event("a", 6, 15), event("a", 16, 16)],
  }),
  scenario({
    id: "restart-keeps-the-clock",
    items: [event("a", 3, 0), restart(4), tick(6), restart(7), event("a", 9, 8)],
  }),
  scenario({
    id: "closes-within-a-batch",
    items: together(1, 0, event("a", 3), event("a", 12), event("a", 4), event("b", 4), event("a", 21)),
  }),
  scenario({
    id: "session-ordinals-go-on",
    windower: session(5),
    items: [
      event("a", 0, 0),
      event("a", 20, 0),
      restart(1),
      event("a", 40, 1),
      tick(100),
      event("a", 200, 100),
    ],
  }),
  scenario({
    id: "session-gap-is-inclusive",
    windower: session(5),
    items: [event("a", 0, 0), event("a", 5, 0), event("a", 11, 0), tick(5), tick(6)],
  }),
  scenario({
    id: "session-late",
    windower: session(5),
    items: [event("a", 10, 0), event("a", 9, 0)],
  }),
  scenario({
    id: "session-earliest-stays",
    note: "the one that is earliest in time stays; an event joins the one opened first",
    windower: session(10),
    clock: { type: "event", wait_ms: "max" },
    ordered: false,
    op: "count",
    items: [event("a", 20, 0), event("a", 0, 0), event("a", 10, 0)],
  }),
  scenario({
    id: "session-merges-are-direct",
    note: "ids that a merged session had merged before are not passed on",
    windower: session(10),
    clock: { type: "event", wait_ms: "max" },
    ordered: false,
    op: "fold_sum",
    items: [event("a", 40, 0), event("a", 20, 0), event("a", 0, 0), event("a", 30, 0), event("a", 10, 0)],
  }),
];

function seeded(seed: number): PerKeyScenario {
  const random = new Random(-seed);
  const ordered = random.int(0, 1) === 1;
  return scenario({
    id: `seed-${String(seed)}`,
    clock: { type: "event", wait_ms: random.pick<number | "max">(0, 5, 20, "max") },
    windower: randomWindower(random),
    ordered,
    // The oracle knows events by their time alone, so unordered ones need an op that does not depend on order.
    op: ordered
      ? random.pick("count", "fold_sum", "fold_list", "collect")
      : random.pick("count", "fold_sum", "max", "min"),
    items: randomItems(random, [tick, tick, restart], { calls: 16, batch: 4 }),
    eof: random.int(0, 3) > 0,
  });
}

export const PER_KEY_SCENARIOS: readonly PerKeyScenario[] = [
  ...NAMED,
  ...Array.from({ length: SEEDS }, (_, seed) => seeded(seed + 1)),
];
