import { startProcess } from "@millrace/local-redis/programs";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Benchmark, Case } from "../benchmark.ts";
import { CHANNEL, LINES } from "../lab/bed.ts";
import { millrace, ownProgram } from "../lab/programs.ts";
import type { Contender } from "../lab/programs.ts";
import { ROOT, WINDOW_MS } from "../lab/tally.ts";
import { counting } from "../lab/trial.ts";
import { CPU } from "../lab/usage.ts";

/** Programs in other languages, and where `set-up.sh` among them prepares each in a folder of its own. */
const PEERS = join(ROOT, "tools/bench/peers");
const PREPARED = join(ROOT, ".cache/bench-peers");

/** Bytewax looks for messages a thousand times a second while there are none. */
const BYTEWAX_IDLING = 0.2;

/** Millrace beside what a user would pick instead. */
export const peers: Benchmark = {
  name: "peers",
  description: "Compares the aggregator with what one would pick instead, over the same events.",
  groups: [
    {
      name: "all",
      cases: [
        // Bare lines, since all can read them.
        counting("millrace", LINES, millrace(`Millrace ${nodeVersion("@millrace/aggregator")}`)),
        peer("bytewax-tutorial", bytewax("tutorial", "Bytewax, as in its tutorial", 0.1), 15),
        peer("bytewax-tuned", bytewax("tuned", "Bytewax, tuned", 0.5), 5),
        peer("benthos", prepared("Benthos", "benthos/benthos -c", "benthos/counts.yaml", 0.15), 2),
        peer("redis-py", prepared("redis-py, hiredis", "redis-py/bin/python", "redis-py/listener.py", 0.5)),
        peer("rxjs", ownProgram(`RxJS, windowTime ${nodeVersion("rxjs")}`, "rxjs")),
      ],
    },
  ],
};

/** Where a peer is not set up, or its rows do not add up, the others go on. */
export function peer(name: string, contender: Contender, atLeast?: number): Case {
  const ratio = { heading: "Millrace is N times as fast", of: CPU, to: "millrace", atLeast };
  return { ...counting(name, LINES, contender, ratio), optional: true };
}

function bytewax(form: string, title: string, share: number): Contender {
  const command = `bytewax-${form}/bin/python -m bytewax.run`;
  return { ...prepared(title, command, `bytewax/${form}.py`, share), idling: BYTEWAX_IDLING };
}

/** A program in another language: a command of a prepared folder with a file of ours, its task in the environment. */
export function prepared(title: string, command: string, file: string, share: number): Contender {
  const [program = "", ...args] = command.split(" ");
  const stamp = join(PREPARED, program.split("/")[0] ?? "", "version.txt");
  const version = existsSync(stamp) ? readFileSync(stamp, "utf8").trim() : undefined;
  return {
    share,
    name: version === undefined ? title : `${title} ${version}`,
    start: (bed, _load, options) => {
      if (version === undefined) throw new Error("It is not set up: run tools/bench/peers/set-up.sh.");
      const env = {
        ...bed.env,
        BENCH_CHANNEL: CHANNEL,
        BENCH_WINDOW_MS: String(WINDOW_MS),
        PYTHONPATH: join(PEERS, "python"),
        // Otherwise Python writes its cache beside the sources.
        PYTHONDONTWRITEBYTECODE: "1",
      };
      // The kernel kills it when this process ends, however that ends: programs of others do not see that.
      const killed = ["--pdeathsig", "KILL", join(PREPARED, program), ...args, join(PEERS, file)];
      return startProcess("setpriv", killed, { ...options, env });
    },
  };
}

function nodeVersion(module: string): string {
  const { version } = createRequire(import.meta.url)(`${module}/package.json`) as { version: string };
  return `${version}, Node ${process.version}`;
}
