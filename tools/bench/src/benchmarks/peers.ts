import { startProcess } from "@millrace/local-redis/programs";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, join } from "node:path";
import type { Benchmark, Case } from "../benchmark.ts";
import { CHANNEL } from "../lab/bed.ts";
import type { Load } from "../lab/bed.ts";
import { millrace, ownProgram } from "../lab/contenders.ts";
import type { Contender } from "../lab/contenders.ts";
import { ROOT, WINDOW_MS } from "../lab/tally.ts";
import { CPU, measure } from "../lab/trial.ts";

/** What all can read: bare lines. */
const LOAD: Load = { transport: "pubsub", batch: undefined };
const EVENTS = 1_000_000;
/** Bytewax looks for messages a thousand times a second while there are none. */
const BYTEWAX_IDLING = 0.2;

/** Programs in other languages, and where `set-up.sh` among them prepares each in a folder of its own. */
const PEERS = join(ROOT, "tools/bench/peers");
const PREPARED = join(ROOT, ".cache/bench-peers");
const BENTHOS_ARGS = ["-c", join(PEERS, "benthos/counts.yaml")];

/** Millrace beside what a user would pick instead, each at its usual and, where there is one, its fastest way. */
export const peers: Benchmark = {
  name: "peers",
  description:
    "Compares the aggregator with what one would pick instead, over the same events from the same Redis.",
  groups: [
    {
      cases: [
        {
          name: "millrace",
          contender: `Millrace ${nodeVersion("@millrace/aggregator")}`,
          measure: (run) => measure(run, { load: LOAD, contender: millrace("Millrace") }, EVENTS),
        },
        bytewax("tutorial", "as in its tutorial", { share: 0.1, atLeast: 15 }),
        bytewax("tuned", "tuned", { share: 0.5, atLeast: 5 }),
        bytewax("precounted", "tuned, batches counted before the window", { share: 0.5 }),
        peer("benthos", "Benthos", prepared("benthos/benthos", BENTHOS_ARGS), { share: 0.15, atLeast: 2 }),
        redisPy("redis-py", "redis-py listener", "listener", 0.2),
        redisPy("redis-py-hiredis", "redis-py listener, hiredis and orjson", "listener_hiredis", 0.5),
        peer("rxjs-buffer", "RxJS, bufferTime", rxjs("buffer")),
        peer("rxjs-window", "RxJS, windowTime", rxjs("window")),
      ],
    },
  ],
};

/** A program that does the same; without a version it is not set up. */
interface Peer extends Pick<Contender, "start"> {
  readonly version: string | undefined;
}

/** How a peer is fed, and how many times as fast Millrace has to be. */
interface PeerOptions extends Pick<Contender, "share" | "idling"> {
  readonly atLeast?: number;
}

/** Where a peer is not set up, or its rows do not add up, the others go on. */
export function peer(name: string, title: string, { version, start }: Peer, options: PeerOptions = {}): Case {
  const { atLeast, ...fed } = options;
  return {
    name,
    choice: name,
    contender: `${title} ${version ?? ""}`,
    optional: true,
    measure: async (run) => {
      if (version === undefined) throw new Error("It is not set up: run tools/bench/peers/set-up.sh.");
      return measure(run, { load: LOAD, contender: { name: title, start, ...fed } }, EVENTS);
    },
    ratios: [{ heading: "Millrace is N times as fast", of: CPU, to: "millrace", atLeast }],
  };
}

function bytewax(program: string, title: string, options: PeerOptions): Case {
  const environment = program === "tutorial" ? "bytewax-tutorial" : "bytewax-tuned";
  const args = ["-m", "bytewax.run", join(PEERS, `bytewax/${program}.py`)];
  const started = prepared(`${environment}/bin/python`, args);
  return peer(`bytewax-${program}`, `Bytewax, ${title}`, started, { idling: BYTEWAX_IDLING, ...options });
}

function redisPy(name: string, title: string, program: string, share: number): Case {
  return peer(name, title, prepared(`${name}/bin/python`, [join(PEERS, `redis-py/${program}.py`)]), {
    share,
  });
}

/** A program in another language: a file in a prepared folder, with its task in the environment. */
function prepared(file: string, args: readonly string[]): Peer {
  const stamp = join(PREPARED, file.split("/")[0] ?? "", "version.txt");
  return {
    version: existsSync(stamp) ? readFileSync(stamp, "utf8").trim() : undefined,
    start: (bed, _load, options) => {
      const env = {
        ...bed.env,
        BENCH_CHANNEL: CHANNEL,
        BENCH_WINDOW_MS: String(WINDOW_MS),
        PYTHONPATH: [join(PEERS, "python"), join(PEERS, "bytewax")].join(delimiter),
        // Otherwise Python writes its cache beside the sources.
        PYTHONDONTWRITEBYTECODE: "1",
      };
      return startProcess(join(PREPARED, file), args, { ...options, env });
    },
  };
}

/** It is installed with the other packages of this project. */
function rxjs(form: string): Peer {
  return { version: nodeVersion("rxjs"), start: ownProgram("RxJS", "rxjs", () => [form]).start };
}

function nodeVersion(module: string): string {
  const { version } = createRequire(import.meta.url)(`${module}/package.json`) as { version: string };
  return `${version}, Node ${process.version}`;
}
