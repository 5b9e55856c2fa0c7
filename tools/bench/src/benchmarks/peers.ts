import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, join } from "node:path";
import type { Benchmark, Case } from "../benchmark.ts";
import type { Load } from "../lab/bed.ts";
import { millrace, ownProgram, ROOT } from "../lab/programs.ts";
import type { Contender } from "../lab/programs.ts";
import { measure } from "../lab/trial.ts";
import { CONTENDER, CPU, figures, PEAK, RATE, readable, targets, times } from "../table.ts";

/** What all can read: bare lines. */
const LOAD: Load = { transport: "pubsub", batch: undefined };
const EVENTS = 1_000_000;
/** Bytewax looks for messages a thousand times a second while there are none. */
const BYTEWAX_IDLING = 0.2;
const REASON_LENGTH = 160;

/** Programs in other languages, and where `set-up.sh` among them prepares each in a folder of its own. */
const PEERS = join(ROOT, "tools/bench/peers");
const PREPARED = join(ROOT, ".cache/bench-peers");

/** How a peer is fed, and how many times as fast Millrace has to be. */
interface PeerOptions extends Pick<Contender, "share" | "idling"> {
  readonly atLeast?: number;
}

/** Millrace beside what a user would pick instead, each at its usual and, where there is one, its fastest way. */
export const peers: Benchmark = {
  name: "peers",
  description:
    "Compares the aggregator with what one would pick instead, over the same events from the same Redis.",
  which: "which peers, beside Millrace",
  options: ["rounds", "scale"],
  groups: [
    {
      cases: [
        {
          case: "millrace",
          contender: "Millrace",
          version: nodeVersion("@millrace/aggregator"),
          measure: (run) => measure(run, { load: LOAD, contender: millrace("Millrace"), events: EVENTS }),
          role: "reference",
        },
        peer("bytewax-tutorial", bytewax("Bytewax, as in its tutorial", "bytewax-tutorial", "tutorial.py"), {
          share: 0.1,
          idling: BYTEWAX_IDLING,
          atLeast: 15,
        }),
        peer("bytewax-tuned", bytewax("Bytewax, tuned", "bytewax-tuned", "tuned.py"), {
          share: 0.5,
          idling: BYTEWAX_IDLING,
          atLeast: 5,
        }),
        peer(
          "bytewax-precounted",
          bytewax("Bytewax, tuned, batches counted before the window", "bytewax-tuned", "precounted.py"),
          { share: 0.5, idling: BYTEWAX_IDLING },
        ),
        peer("benthos", prepared("Benthos", "benthos/benthos", ["-c", join(PEERS, "benthos/counts.yaml")]), {
          share: 0.15,
          atLeast: 2,
        }),
        peer("redis-py", redisPy("redis-py listener", "redis-py", "listener.py"), { share: 0.2 }),
        peer(
          "redis-py-hiredis",
          redisPy("redis-py listener, hiredis and orjson", "redis-py-hiredis", "listener_hiredis.py"),
          { share: 0.5 },
        ),
        peer("rxjs-buffer", rxjs("RxJS, bufferTime", "buffer")),
        peer("rxjs-window", rxjs("RxJS, windowTime", "window")),
      ],
    },
  ],
  columns: [
    CONTENDER,
    ["version", ({ version }) => version],
    CPU,
    figures("events per CPU second", ["eventsPerCpuSecond"], readable),
    figures("Millrace is N times as fast", ["ratioToPeer"], times),
    targets(),
    RATE,
    PEAK,
    // A program that fails may have printed much before; all of it is in the log.
    ["not run", ({ notRun: reason = "" }) => reason.slice(0, REASON_LENGTH)],
  ],
};

/** A tool that does the same; without a version it is not set up. */
interface Peer extends Contender {
  readonly version: string | undefined;
}

/** Where a peer is not set up, or its rows do not add up, the others go on. */
export function peer(name: string, { version, ...tool }: Peer, { atLeast, ...fed }: PeerOptions = {}): Case {
  return {
    case: name,
    contender: tool.name,
    ...(version !== undefined && { version }),
    role: "optional",
    measure: async (run) => {
      if (version === undefined) throw new Error("It is not set up: run tools/bench/peers/set-up.sh.");
      return measure(run, { load: LOAD, contender: { ...tool, ...fed }, events: EVENTS });
    },
    ratios: [{ name: "ratioToPeer", of: "cpuMicrosPerEvent", to: "millrace" }],
    ...(atLeast !== undefined && { targets: [{ ratio: "ratioToPeer", atLeast }] }),
  };
}

function bytewax(name: string, environment: string, program: string): Peer {
  return prepared(name, `${environment}/bin/python`, ["-m", "bytewax.run", join(PEERS, "bytewax", program)]);
}

function redisPy(name: string, environment: string, program: string): Peer {
  return prepared(name, `${environment}/bin/python`, [join(PEERS, "redis-py", program)]);
}

/** A program in another language: a file in a prepared folder, with its task in the environment. */
function prepared(name: string, file: string, args: readonly string[]): Peer {
  const [folder = ""] = file.split("/");
  const stamp = join(PREPARED, folder, "version.txt");
  return {
    name,
    version: existsSync(stamp) ? readFileSync(stamp, "utf8").trim() : undefined,
    command: ({ bed, channel, windowMs }) => ({
      file: join(PREPARED, file),
      args,
      env: {
        ...bed.env,
        BENCH_CHANNEL: channel,
        BENCH_WINDOW_MS: String(windowMs),
        PYTHONPATH: [join(PEERS, "python"), join(PEERS, "bytewax")].join(delimiter),
        // Otherwise Python writes its cache beside the sources.
        PYTHONDONTWRITEBYTECODE: "1",
      },
    }),
  };
}

/** It is installed with the other packages of this project. */
function rxjs(name: string, form: string): Peer {
  return { version: nodeVersion("rxjs"), ...ownProgram(name, "rxjs", () => [form]) };
}

function nodeVersion(module: string): string {
  const { version } = createRequire(import.meta.url)(`${module}/package.json`) as { version: string };
  return `${version}, Node ${process.version}`;
}
