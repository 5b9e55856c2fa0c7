import { startProgram } from "@millrace/local-redis/programs";
import type { Benchmark, Case, Figures, Run } from "../benchmark.ts";
import { withBed } from "../lab/bed.ts";
import type { Load } from "../lab/bed.ts";
import { Crew } from "../lab/crew.ts";
import type { Holding, Sharing } from "../lab/crew.ts";
import { inputOf, PUBLISHER } from "../lab/programs.ts";
import { keepRowsOf, untilCounted } from "../lab/trial.ts";
import { quantile } from "../statistics.ts";

const WORKERS = 3;
/** How often one worker ends and another one joins, at a scale of 1. */
const REPETITIONS = 20;
/** Events per second: every partition has some to commit. */
const RATE = 2_000;

/** How long partitions stand still when a worker joins, leaves or crashes. */
export const shares: Benchmark = {
  name: "shares",
  description:
    "Measures how long it takes until others have the partitions of a worker that leaves or crashes.",
  rounds: 1,
  groups: [
    {
      name: "take-over",
      title: "24 partitions, three workers, one of which ends",
      cases: [
        moving("stop", "leases, SIGTERM", 24, { by: "leases", leaseMs: 10_000 }, "SIGTERM"),
        moving("crash", "leases of 10 s, SIGKILL", 24, { by: "leases", leaseMs: 10_000 }, "SIGKILL"),
        moving("crash-3s", "leases of 3 s, SIGKILL", 24, { by: "leases", leaseMs: 3_000 }, "SIGKILL"),
        moving("group-stop", "Kafka's group, SIGTERM", 24, { by: "group", leaseMs: 10_000 }, "SIGTERM"),
        moving(
          "group-crash",
          "Kafka's group, 10 s, SIGKILL",
          24,
          { by: "group", leaseMs: 10_000 },
          "SIGKILL",
        ),
      ],
    },
    {
      name: "rebalance",
      title: "64 partitions, two workers, a third one joins and leaves",
      cases: [
        moving("leases", "leases", 64, { by: "leases", leaseMs: 10_000 }, "SIGTERM"),
        moving("group", "Kafka's group", 64, { by: "group", leaseMs: 10_000 }, "SIGTERM"),
      ],
    },
  ],
};

function moving(
  name: string,
  contender: string,
  partitions: number,
  sharing: Sharing,
  signal: NodeJS.Signals,
): Case {
  const transport = sharing.by === "group" ? "kafka" : "stream";
  const load: Load = { transport, partitions, partitionBy: "click_id", batch: undefined, events: Infinity };
  return { name, contender, measure: (run) => moveParts(run, load, sharing, signal) };
}

/**
 * Ends a worker, and starts another one when the others have all of its partitions; again and again, while events come.
 *
 * @throws Error if the rows in Redis do not add up afterwards
 */
function moveParts({ scale }: Run, load: Load, sharing: Sharing, signal: NodeJS.Signals): Promise<Figures> {
  return withBed(async (bed) => {
    const args = [...inputOf(load), `--generate=${RATE}`];
    const publisher = startProgram(PUBLISHER, { args, env: bed.env });
    bed.programs.push(publisher);
    const crew = new Crew(bed, load, sharing);
    for (let count = 0; count < WORKERS; count++) crew.start();
    await crew.settled();
    const left: Times[] = [];
    const joined: Times[] = [];
    for (let turn = 0; turn < Math.ceil(REPETITIONS * scale); turn++) {
      const parts = crew.partsOf(crew.oldest);
      const at = crew.end(crew.oldest, signal);
      await crew.settled();
      left.push(timesSince(at, crew.holdingsOf(parts)));
      const worker = crew.start();
      await crew.settled();
      joined.push(timesSince(worker.joinedAt, crew.holdingsOf(crew.partsOf(worker))));
    }
    publisher.kill("SIGTERM");
    const { published } = await publisher.logged("report");
    const rows = new Map<string, string>();
    await untilCounted("A crew", [Number(published)], async () => {
      await keepRowsOf(bed, rows);
      return rows.values();
    });
    return figuresOf(left, joined);
  }, load);
}

/** How long (ms) it took until each of some partitions was given to a worker, and until that worker committed it. */
interface Times {
  readonly owned: readonly number[];
  readonly committed: readonly number[];
}

function timesSince(at: number, holdings: readonly Holding[]): Times {
  return {
    owned: holdings.map(({ since }) => since - at),
    committed: holdings.map(({ committedAt = Number.NaN }) => committedAt - at),
  };
}

function figuresOf(left: readonly Times[], joined: readonly Times[]): Figures {
  const owned = left.flatMap((times) => times.owned);
  const committed = left.flatMap((times) => times.committed);
  const lastOwned = left.map((times) => Math.max(...times.owned));
  const lastCommitted = left.map((times) => Math.max(...times.committed));
  return {
    times: left.length,
    parts: owned.length,
    "owned p50 ms": quantile(owned, 0.5),
    "owned p99 ms": quantile(owned, 0.99),
    "committed p50 ms": quantile(committed, 0.5),
    "committed p99 ms": quantile(committed, 0.99),
    "all owned p50 ms": quantile(lastOwned, 0.5),
    "all owned, longest ms": Math.max(...lastOwned),
    "all committed p50 ms": quantile(lastCommitted, 0.5),
    "joined: all owned p50 ms": quantile(
      joined.map((times) => Math.max(...times.owned)),
      0.5,
    ),
    "joined: all committed p50 ms": quantile(
      joined.map((times) => Math.max(...times.committed)),
      0.5,
    ),
  };
}
