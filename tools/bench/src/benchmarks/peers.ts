import { createRequire } from "node:module";
import type { Benchmark, Case } from "../benchmark.ts";
import type { Load } from "../lab/bed.ts";
import { millrace, ownProgram } from "../lab/contenders.ts";
import type { Contender } from "../lab/contenders.ts";
import { peerFile } from "../lab/programs.ts";
import { goSetUp, pythonSetUp } from "../lab/set-up.ts";
import type { ReadyPeer, SetUp } from "../lab/set-up.ts";
import { counting, measure } from "../lab/trial.ts";
import { CONTENDER, CPU, figures, PEAK, RATE, readable, targets, times } from "../table.ts";

/** What all can read: bare lines. */
const LOAD: Load = { transport: "pubsub", batch: undefined };
const EVENTS = 1_000_000;
/** Bytewax looks for messages a thousand times a second while there are none. */
const BYTEWAX_IDLING = 0.2;
const REASON_LENGTH = 160;

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
          ...counting("millrace", { load: LOAD, contender: millrace("Millrace"), events: EVENTS }),
          prepare: () => ({ version: nodeVersion("@millrace/aggregator") }),
          role: "reference",
        },
        peer("bytewax-tutorial", "Bytewax, as in its tutorial", bytewax("tutorial", "tutorial.py"), {
          share: 0.1,
          idling: BYTEWAX_IDLING,
          atLeast: 15,
        }),
        peer("bytewax-tuned", "Bytewax, tuned", bytewax("tuned", "tuned.py"), {
          share: 0.5,
          idling: BYTEWAX_IDLING,
          atLeast: 5,
        }),
        peer(
          "bytewax-precounted",
          "Bytewax, tuned, batches counted before the window",
          bytewax("tuned", "precounted.py"),
          { share: 0.5, idling: BYTEWAX_IDLING },
        ),
        peer(
          "benthos",
          "Benthos",
          goSetUp({
            name: "benthos",
            module: "github.com/benthosdev/benthos/v4",
            args: ["-c", peerFile("benthos/counts.yaml")],
          }),
          { share: 0.15, atLeast: 2 },
        ),
        peer("redis-py", "redis-py listener", redisPy("redis-py", "requirements.txt", "listener.py"), {
          share: 0.2,
        }),
        peer(
          "redis-py-hiredis",
          "redis-py listener, hiredis and orjson",
          redisPy("redis-py-hiredis", "requirements-hiredis.txt", "listener_hiredis.py"),
          { share: 0.5 },
        ),
        peer("rxjs-buffer", "RxJS, bufferTime", rxjs("rxjs-buffer")),
        peer("rxjs-window", "RxJS, windowTime", rxjs("rxjs-window")),
      ],
    },
  ],
  columns: [
    CONTENDER,
    ["version", ({ facts }) => facts?.["version"]?.toString()],
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

/** How a peer is fed, and how many times as fast Millrace has to be. */
interface PeerOptions extends Pick<Contender, "share" | "idling"> {
  readonly atLeast?: number;
}

/** Another tool that does the same. Where it cannot be set up, or its rows do not add up, the others go on. */
export function peer(name: string, title: string, setUp: SetUp, { atLeast, ...fed }: PeerOptions = {}): Case {
  let ready: ReadyPeer | undefined;
  return {
    case: name,
    contender: title,
    role: "optional",
    prepare: async (run) => {
      ready = await setUp(run);
      return { version: ready.version };
    },
    measure: (run) => {
      if (ready === undefined) throw new Error(`${title} is not set up.`);
      const contender = { name: title, ...fed, command: ready.command };
      return measure(run, { load: LOAD, contender, events: EVENTS });
    },
    ratios: [{ name: "ratioToPeer", of: "cpuMicrosPerEvent", to: "millrace" }],
    ...(atLeast !== undefined && { targets: [{ ratio: "ratioToPeer", atLeast }] }),
  };
}

function bytewax(environment: string, program: string): SetUp {
  return pythonSetUp({
    name: `bytewax-${environment}`,
    folder: "bytewax",
    requirements: `requirements-${environment}.txt`,
    package: "bytewax",
    args: ["-m", "bytewax.run", peerFile("bytewax", program)],
  });
}

function redisPy(name: string, requirements: string, program: string): SetUp {
  const folder = "redis-py";
  return pythonSetUp({ name, folder, requirements, package: "redis", args: [peerFile(folder, program)] });
}

/** It is installed with the other packages of this project. */
function rxjs(program: string): SetUp {
  const { command } = ownProgram(program, program);
  return () => Promise.resolve({ version: nodeVersion("rxjs"), command });
}

function nodeVersion(module: string): string {
  const { version } = createRequire(import.meta.url)(`${module}/package.json`) as { version: string };
  return `${version}, Node ${process.version}`;
}
