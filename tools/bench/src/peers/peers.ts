import { createRequire } from "node:module";
import { nodeArgs, peerFile, programFile } from "../conductor/paths.ts";
import type { Peer, ReadyPeer } from "./peer.ts";
import { goSetUp } from "./set-up/go.ts";
import { pythonSetUp } from "./set-up/python.ts";

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
    setUp: pythonSetUp("bytewax-tutorial", {
      folder: "bytewax",
      requirements: "requirements-tutorial.txt",
      package: "bytewax",
      args: ["-m", "bytewax.run", peerFile("bytewax/tutorial.py")],
    }),
  },
  {
    case: "bytewax-tuned",
    name: "Bytewax, tuned",
    share: 0.5,
    idling: BYTEWAX_IDLING,
    targets: [{ ratio: "ratioToPeer", atLeast: 5 }],
    setUp: tunedBytewax("bytewax/tuned.py"),
  },
  {
    case: "bytewax-precounted",
    name: "Bytewax, tuned, batches counted before the window",
    share: 0.5,
    idling: BYTEWAX_IDLING,
    setUp: tunedBytewax("bytewax/precounted.py"),
  },
  {
    case: "benthos",
    name: "Benthos",
    share: 0.15,
    targets: [{ ratio: "ratioToPeer", atLeast: 2 }],
    setUp: goSetUp("benthos", {
      folder: "benthos",
      module: "github.com/benthosdev/benthos/v4",
      args: ["-c", peerFile("benthos/counts.yaml")],
    }),
  },
  {
    case: "redis-py",
    name: "redis-py listener",
    share: 0.2,
    setUp: pythonSetUp("redis-py", {
      folder: "redis-py",
      requirements: "requirements.txt",
      package: "redis",
      args: [peerFile("redis-py/listener.py")],
    }),
  },
  {
    case: "redis-py-hiredis",
    name: "redis-py listener, hiredis and orjson",
    share: 0.5,
    setUp: pythonSetUp("redis-py-hiredis", {
      folder: "redis-py",
      requirements: "requirements-hiredis.txt",
      package: "redis",
      args: [peerFile("redis-py/listener_hiredis.py")],
    }),
  },
  { case: "rxjs-buffer", name: "RxJS, bufferTime", setUp: () => Promise.resolve(rxjs("rxjs-buffer")) },
  { case: "rxjs-window", name: "RxJS, windowTime", setUp: () => Promise.resolve(rxjs("rxjs-window")) },
];

function tunedBytewax(program: string): Peer["setUp"] {
  return pythonSetUp("bytewax-tuned", {
    folder: "bytewax",
    requirements: "requirements-tuned.txt",
    package: "bytewax",
    args: ["-m", "bytewax.run", peerFile(program)],
  });
}

/** It came with this project's other packages. */
function rxjs(program: string): ReadyPeer {
  const { version } = createRequire(import.meta.url)("rxjs/package.json") as { version: string };
  return {
    version: `${version}, Node ${process.version}`,
    command: ({ bed, channel, windowMs }) => ({
      file: process.execPath,
      args: nodeArgs(programFile(program), [bed.redis.url, channel, String(windowMs)]),
    }),
  };
}
