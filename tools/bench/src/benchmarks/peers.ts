import { createRequire } from "node:module";
import type { Benchmark, Case, Group, Run, Target } from "../benchmark.ts";
import type { Bed, Load } from "../lab/bed.ts";
import { millrace, ownProgram } from "../lab/contenders.ts";
import type { Contender } from "../lab/contenders.ts";
import { peerFile } from "../lab/programs.ts";
import { goSetUp, pythonSetUp } from "../lab/set-up.ts";
import type { PythonProgram, SetUp } from "../lab/set-up.ts";
import { measure } from "../lab/trial.ts";
import { CONTENDER, CPU, figures, PEAK, RATE, readable, targets, times } from "../table.ts";

/** Another tool that does the same. */
export interface Peer extends Pick<Contender, "name" | "share" | "idling"> {
  readonly case: string;
  readonly targets?: readonly Target[];
  readonly setUp: SetUp;
}

/** Bytewax looks for messages a thousand times a second while there are none. */
const BYTEWAX_IDLING = 0.2;

/** What a user would pick instead, each at its usual and, where there is one, its fastest way. */
export const PEERS: readonly Peer[] = [
  {
    case: "bytewax-tutorial",
    name: "Bytewax, as in its tutorial",
    share: 0.1,
    idling: BYTEWAX_IDLING,
    targets: [{ ratio: "ratioToPeer", atLeast: 15 }],
    setUp: bytewax("tutorial", "tutorial.py"),
  },
  {
    case: "bytewax-tuned",
    name: "Bytewax, tuned",
    share: 0.5,
    idling: BYTEWAX_IDLING,
    targets: [{ ratio: "ratioToPeer", atLeast: 5 }],
    setUp: bytewax("tuned", "tuned.py"),
  },
  {
    case: "bytewax-precounted",
    name: "Bytewax, tuned, batches counted before the window",
    share: 0.5,
    idling: BYTEWAX_IDLING,
    setUp: bytewax("tuned", "precounted.py"),
  },
  {
    case: "benthos",
    name: "Benthos",
    share: 0.15,
    targets: [{ ratio: "ratioToPeer", atLeast: 2 }],
    setUp: goSetUp({
      name: "benthos",
      module: "github.com/benthosdev/benthos/v4",
      args: ["-c", peerFile("benthos/counts.yaml")],
    }),
  },
  {
    case: "redis-py",
    name: "redis-py listener",
    share: 0.2,
    setUp: redisPy("redis-py", "requirements.txt", "listener.py"),
  },
  {
    case: "redis-py-hiredis",
    name: "redis-py listener, hiredis and orjson",
    share: 0.5,
    setUp: redisPy("redis-py-hiredis", "requirements-hiredis.txt", "listener_hiredis.py"),
  },
  { case: "rxjs-buffer", name: "RxJS, bufferTime", setUp: rxjs("rxjs-buffer") },
  { case: "rxjs-window", name: "RxJS, windowTime", setUp: rxjs("rxjs-window") },
];

function bytewax(environment: string, program: string): SetUp {
  return pythonSetUp({
    name: `bytewax-${environment}`,
    folder: "bytewax",
    requirements: `requirements-${environment}.txt`,
    package: "bytewax",
    args: ["-m", "bytewax.run", peerFile("bytewax", program)],
  });
}

function redisPy(name: string, requirements: PythonProgram["requirements"], program: string): SetUp {
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

/** What all can read: bare lines. */
const LOAD: Load = { transport: "pubsub", batch: undefined };
const EVENTS = 1_000_000;
const REASON_LENGTH = 160;

/** Millrace beside the tools that one would pick instead. */
export const peers: Benchmark = {
  name: "peers",
  description:
    "Compares the aggregator with what one would pick instead, over the same events from the same Redis.",
  which: "which peers, beside Millrace",
  names: PEERS.map(({ case: name }) => name),
  options: ["rounds", "scale"],
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
    [
      "not run",
      ({ notRun: reason = "" }) =>
        reason.slice(0, REASON_LENGTH) + (reason.length > REASON_LENGTH ? "…" : ""),
    ],
  ],
  groups: async (run) => {
    const chosen = PEERS.filter(({ case: name }) => run.names.includes(name));
    return [await peersGroup(await run.bed(), chosen, run)];
  },
};

/**
 * Sets peers up. One that cannot be set up, or whose rows do not add up, is printed as not run; the others go on.
 */
export async function peersGroup(
  bed: Bed,
  chosen: readonly Peer[],
  { scale, signal, logger }: Pick<Run, "scale" | "signal" | "logger">,
): Promise<Group> {
  const cases: Case[] = [
    {
      case: "millrace",
      contender: "Millrace",
      facts: { version: nodeVersion("@millrace/aggregator") },
      measure: () => measure({ bed, load: LOAD, contender: millrace("Millrace") }, EVENTS, scale),
    },
  ];
  for (const peer of chosen) {
    signal.throwIfAborted();
    const about = { case: peer.case, contender: peer.name, optional: true };
    try {
      const { version, command } = await peer.setUp({ signal, logger });
      cases.push({
        ...about,
        facts: { version },
        measure: () => measure({ bed, load: LOAD, contender: { ...peer, command } }, EVENTS, scale),
        ratios: [{ name: "ratioToPeer", of: "cpuMicrosPerEvent", to: "millrace" }],
        ...(peer.targets && { targets: peer.targets }),
      });
    } catch (error) {
      cases.push({ ...about, measure: () => Promise.reject(error as Error) });
    }
  }
  return { cases };
}
