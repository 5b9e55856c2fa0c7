import { startProcess } from "@millrace/local-redis/programs";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, join } from "node:path";
import type { Benchmark, Case } from "../benchmark.ts";
import { CHANNEL } from "../lab/bed.ts";
import type { Load } from "../lab/bed.ts";
import { millrace, ownProgram, ROOT } from "../lab/contenders.ts";
import type { Contender } from "../lab/contenders.ts";
import { measure } from "../lab/trial.ts";
import { WINDOW_MS } from "../programs/common.ts";
import { CONTENDER, CPU, figures, PEAK, RATE, readable, targets, times } from "../table.ts";

/** What all can read: bare lines. */
const LOAD: Load = { transport: "pubsub", batch: undefined };
const EVENTS = 1_000_000;
const REASON_LENGTH = 160;
/** Bytewax looks for messages a thousand times a second while there are none. */
const BYTEWAX_IDLING = 0.2;

/** Programs in other languages, and where `set-up.sh` among them prepares each in a folder of its own. */
const PEERS = join(ROOT, "tools/bench/peers");
const PREPARED = join(ROOT, ".cache/bench-peers");

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
          contender: "Millrace",
          version: nodeVersion("@millrace/aggregator"),
          measure: (run) => measure(run, { load: LOAD, contender: millrace("Millrace") }, EVENTS),
        },
        bytewax("bytewax-tutorial", "Bytewax, as in its tutorial", "tutorial", { share: 0.1, atLeast: 15 }),
        bytewax("bytewax-tuned", "Bytewax, tuned", "tuned", { share: 0.5, atLeast: 5 }),
        bytewax("bytewax-precounted", "Bytewax, tuned, batches counted before the window", "tuned", {
          program: "precounted",
          share: 0.5,
        }),
        peer("benthos", "Benthos", prepared("benthos/benthos", ["-c", join(PEERS, "benthos/counts.yaml")]), {
          share: 0.15,
          atLeast: 2,
        }),
        redisPy("redis-py", "redis-py listener", "listener", { share: 0.2 }),
        redisPy("redis-py-hiredis", "redis-py listener, hiredis and orjson", "listener_hiredis", {
          share: 0.5,
        }),
        peer("rxjs-buffer", "RxJS, bufferTime", rxjs("buffer")),
        peer("rxjs-window", "RxJS, windowTime", rxjs("window")),
      ],
    },
  ],
  columns: [
    CONTENDER,
    ["version", (line) => line.case.version],
    CPU,
    figures("events per CPU second", ["eventsPerCpuSecond"], readable),
    figures("Millrace is N times as fast", ["ratioToPeer"], times),
    targets(),
    RATE,
    PEAK,
    // A program that fails may have printed much before; all of it is in the log.
    ["not run", ({ notRun = "" }) => notRun.slice(0, REASON_LENGTH)],
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
export function peer(
  name: string,
  contender: string,
  { version, start }: Peer,
  options: PeerOptions = {},
): Case {
  const { atLeast, ...fed } = options;
  return {
    name,
    choice: name,
    contender,
    version,
    optional: true,
    measure: async (run) => {
      if (version === undefined) throw new Error("It is not set up: run tools/bench/peers/set-up.sh.");
      return measure(run, { load: LOAD, contender: { name: contender, start, ...fed } }, EVENTS);
    },
    ratios: [{ name: "ratioToPeer", of: "cpuMicrosPerEvent", to: "millrace" }],
    targets: atLeast === undefined ? [] : [{ ratio: "ratioToPeer", atLeast }],
  };
}

function bytewax(
  key: string,
  name: string,
  environment: "tutorial" | "tuned",
  { program = environment, ...options }: PeerOptions & { readonly program?: string },
): Case {
  const args = ["-m", "bytewax.run", join(PEERS, `bytewax/${program}.py`)];
  const python = prepared(`bytewax-${environment}/bin/python`, args);
  return peer(key, name, python, { idling: BYTEWAX_IDLING, ...options });
}

function redisPy(key: string, name: string, program: string, options: PeerOptions): Case {
  return peer(key, name, prepared(`${key}/bin/python`, [join(PEERS, `redis-py/${program}.py`)]), options);
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
