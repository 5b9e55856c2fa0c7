import { drained, event, restart, session, sliding, together, tumbling } from "./build.ts";
import { Random, randomItems, randomWindower } from "./random.ts";
import type { StreamScenario } from "./scenario.ts";

const SEEDS = 90;

const DEFAULTS = {
  clock: { type: "event", wait_ms: 0 },
  windower: tumbling(10),
  idle: "drained",
  allowed_lateness_ms: 0,
  op: "collect",
  eof: false,
} as const;

function scenario(given: Pick<StreamScenario, "id" | "items"> & Partial<StreamScenario>): StreamScenario {
  return { ...DEFAULTS, ...given };
}

/** One rule each. */
const NAMED: readonly StreamScenario[] = [
  scenario({
    id: "close-is-exclusive",
    note: "an event at the close is in the next window, and closes this one",
    items: [event("a", 0), event("a", 9), event("a", 10)],
  }),
  scenario({
    id: "another-key-closes",
    note: "one watermark for all keys",
    items: [event("a", 3), event("b", 10), event("a", 4, 11)],
  }),
  scenario({
    id: "before-the-watermark-but-open",
    note: "not late while its window is open",
    items: [event("a", 8), event("a", 2, 8), event("a", 10)],
  }),
  scenario({
    id: "wait-moves-the-close",
    clock: { type: "event", wait_ms: 5 },
    items: [event("a", 3), event("a", 14), event("a", 4, 14), event("a", 15), event("a", 5, 15)],
  }),
  scenario({
    id: "drained-closes-without-an-event",
    items: [event("a", 3), drained(9), drained(10)],
  }),
  scenario({
    id: "drained-counts-from-the-last-raise",
    note: "an event that raises nothing does not move the base",
    items: [event("a", 7, 100), event("a", 3, 102), drained(102), drained(103)],
  }),
  scenario({
    id: "drained-before-the-first-event",
    items: [drained(50), event("a", 3, 60), drained(66), drained(67)],
  }),
  scenario({
    id: "never-stands-still",
    idle: "never",
    items: [event("a", 3), drained(1_000), event("a", 4, 1_001)],
    eof: true,
  }),
  scenario({
    id: "unbounded-wait-ends-with-the-input",
    clock: { type: "event", wait_ms: "unbounded" },
    items: [event("a", 25), event("a", 3, 30), drained(1_000)],
    eof: true,
  }),
  scenario({
    id: "negative-times",
    items: [event("a", -1, 0), event("a", -10, 0), event("a", -11, 0), event("a", 0)],
    eof: true,
  }),
  scenario({
    id: "aligned-elsewhere",
    windower: tumbling(10, 3),
    items: [event("a", 2), event("a", 3), event("a", 13)],
    eof: true,
  }),
  scenario({
    id: "one-batch-closes-in-the-middle",
    note: "what follows in the batch is late all the same",
    items: together(1, 20, event("a", 3), event("a", 12), event("a", 4), event("b", 25), event("b", 13)),
    eof: true,
  }),
  scenario({
    id: "restart-changes-nothing",
    items: [event("a", 3), restart(5), drained(9), restart(9), drained(10), event("a", 4, 11)],
    eof: true,
  }),
  scenario({
    id: "ordered-sorts-at-the-close",
    clock: { type: "event", wait_ms: 5 },
    ordered: true,
    items: [
      event("a", 8, 8, 80),
      event("a", 2, 8, 20),
      event("a", 8, 9, 81),
      event("a", 5, 9, 50),
      event("a", 15),
    ],
  }),
  scenario({
    id: "sliding-in-each",
    windower: sliding(10, 4),
    items: [event("a", 5), event("a", 8), event("a", 12)],
    eof: true,
  }),
  scenario({
    id: "sliding-counted-where-open",
    note: "an event misses the window that has closed, is counted in the others, and is not late",
    windower: sliding(10, 5),
    items: [event("a", 7), event("a", 11), event("a", 8, 11), event("a", 4, 11)],
    eof: true,
  }),
  scenario({
    id: "sliding-side-by-side",
    windower: sliding(10, 10),
    items: [event("a", 9), event("a", 10)],
    eof: true,
  }),
  scenario({
    id: "revision",
    allowed_lateness_ms: 10,
    items: [event("a", 3), event("a", 12), event("a", 4, 13), event("b", 5, 14), event("a", 5, 15)],
    eof: true,
  }),
  scenario({
    id: "lateness-ends",
    note: "kept until close + allowed lateness <= watermark",
    allowed_lateness_ms: 10,
    items: [event("a", 3), event("a", 19), event("a", 4, 19), event("a", 20), event("a", 5, 20)],
  }),
  scenario({
    id: "sliding-open-and-kept",
    windower: sliding(10, 5),
    allowed_lateness_ms: 5,
    items: [event("a", 7), event("a", 11), event("a", 8, 11), event("a", 16), event("a", 9, 16)],
    eof: true,
  }),
  scenario({
    id: "session-gap-is-inclusive",
    windower: session(5),
    items: [event("a", 0), event("a", 5), event("a", 11)],
    eof: true,
  }),
  scenario({
    id: "session-due-after-the-gap",
    note: "due when the watermark is past last + gap, not at it",
    windower: session(5),
    items: [event("a", 0), event("b", 5), event("b", 6)],
    eof: true,
  }),
  scenario({
    id: "session-joined-by-two-sides",
    windower: session(5),
    clock: { type: "event", wait_ms: 50 },
    op: "count",
    items: [event("a", 0), event("a", 10), event("b", 5), event("a", 5, 11)],
    eof: true,
  }),
  scenario({
    id: "session-late-but-touching",
    note: "late alone, but it touches a session that is open",
    windower: session(5),
    items: [event("a", 7), event("b", 11), event("a", 4, 11), event("a", 2, 11), event("b", 3, 11)],
    eof: true,
  }),
  scenario({
    id: "session-of-no-gap",
    windower: session(0),
    items: [event("a", 3), event("a", 3, 3, 4), event("a", 4), event("a", 3, 4, 5)],
    eof: true,
  }),
  scenario({
    id: "session-revised",
    windower: session(5),
    allowed_lateness_ms: 20,
    items: [event("a", 10), event("b", 30), event("a", 8, 31), event("a", 14, 32), event("a", 3, 33)],
    eof: true,
  }),
  scenario({
    id: "session-revision-joins-two",
    windower: session(5),
    allowed_lateness_ms: 40,
    op: "fold_sum",
    items: [event("a", 10), event("a", 20), event("b", 40), event("a", 15, 41)],
    eof: true,
  }),
  scenario({
    id: "session-opened-again",
    note: "an event joins a kept session to one that is open: its next row is that of its close",
    windower: session(5),
    allowed_lateness_ms: 40,
    op: "count",
    items: [event("a", 10), event("a", 20), event("a", 15, 21), drained(30)],
  }),
];

function seeded(seed: number): StreamScenario {
  const random = new Random(seed);
  const allowedLateness = random.pick(0, 0, 0, 1, 15, 60);
  const op = random.pick("count", "fold_sum", "collect", "collect");
  const windower = randomWindower(random);
  // Sessions that merge may change the order of unordered lists.
  const ordered = op === "collect" && (windower.type === "session" || random.int(0, 1) === 1);
  return scenario({
    id: `seed-${String(seed)}`,
    clock: { type: "event", wait_ms: random.pick<number | "unbounded">(0, 0, 5, 20, "unbounded") },
    windower,
    idle: random.pick("drained", "drained", "never"),
    allowed_lateness_ms: allowedLateness,
    op,
    ...(ordered ? { ordered } : {}),
    // Where revisions may be gathered, a batch has one event.
    items: randomItems(
      random,
      [drained, drained, restart],
      allowedLateness === 0 ? { calls: 16, batch: 4 } : { calls: 40, batch: 1 },
    ),
    eof: random.int(0, 3) > 0,
  });
}

export const STREAM_SCENARIOS: readonly StreamScenario[] = [
  ...NAMED,
  ...Array.from({ length: SEEDS }, (_, seed) => seeded(seed + 1)),
];
