import { createRequire } from "node:module";
import type { Bed, Load } from "../conductor/bed.ts";
import type { Contender } from "../conductor/contender.ts";
import { measure } from "../conductor/trial.ts";
import type { TrialSize } from "../conductor/trial.ts";
import { millrace } from "../pipeline/contenders.ts";
import { cpuRatio, cpuText, figuresOf } from "../rounds/figures.ts";
import type { CaseFigures } from "../rounds/figures.ts";
import { runRounds, scaledSize } from "../rounds/run-rounds.ts";
import type { RoundSettings, Turn } from "../rounds/run-rounds.ts";
import { toldTargets } from "../rounds/targets.ts";
import type { ToldTarget } from "../rounds/targets.ts";
import type { Peer, PeerRatio } from "./peer.ts";

/** What everybody can read: bare lines. */
const LOAD: Load = { transport: "pubsub", batch: undefined };
const SIZE: TrialSize = { events: 1_000_000, warmUpEvents: 200_000 };

/** What a case came to. */
export interface PeerFigures extends CaseFigures, Partial<Record<PeerRatio, number>> {
  readonly case: string;
  readonly contender: string;
  readonly version: string;
  readonly targets?: readonly ToldTarget<PeerRatio>[];
}

/** A peer that has no figures, and why, in one line. */
export interface NotRun {
  readonly case: string;
  readonly contender: string;
  readonly notRun: string;
}

export type PeerLine = PeerFigures | NotRun;

/** A peer's place in the run: its turn, or why it has none. */
interface Place {
  readonly peer: Peer;
  readonly version: string;
  readonly turn: Turn | undefined;
  notRun: string | undefined;
}

/**
 * Sets peers up, and measures them and Millrace by turns. A peer that cannot be set up, or whose rows do not add up,
 * is told as not run; the others go on.
 */
export async function runPeers(
  bed: Bed,
  peers: readonly Peer[],
  settings: RoundSettings,
): Promise<readonly PeerLine[]> {
  const size = scaledSize(SIZE, settings.scale);
  const turnOf = (name: string, contender: Contender): Omit<Turn, "failed"> => ({
    case: name,
    contender: contender.name,
    measure: () => measure(bed, LOAD, contender, size),
    figures: [],
  });
  const own: Turn = turnOf("millrace", millrace("Millrace"));
  const places: Place[] = [];
  for (const peer of peers) places.push(await placeOf(peer, turnOf, settings));
  await runRounds([own, ...places.flatMap(({ turn }) => turn ?? [])], settings, cpuText);
  return [
    { case: own.case, contender: own.contender, version: ownVersion(), ...figuresOf(own) },
    ...places.map((place) => lineOf(place, own)),
  ];
}

async function placeOf(
  peer: Peer,
  turnOf: (name: string, contender: Contender) => Omit<Turn, "failed">,
  { signal, logger }: RoundSettings,
): Promise<Place> {
  signal.throwIfAborted();
  const notRun = (error: unknown): string => {
    signal.throwIfAborted();
    const message = error instanceof Error ? error.message : String(error);
    const reason = message.replaceAll(/\s+/g, " ");
    logger.warn({ event: "notRun", case: peer.case, reason }, `${peer.name} is not run: ${reason}`);
    return reason;
  };
  try {
    const { version, command } = await peer.setUp({ signal, logger });
    const place: Place = {
      peer,
      version,
      notRun: undefined,
      turn: {
        ...turnOf(peer.case, { ...peer, command }),
        failed: (error) => {
          place.notRun = notRun(error);
        },
      },
    };
    return place;
  } catch (error) {
    return { peer, version: "", turn: undefined, notRun: notRun(error) };
  }
}

function lineOf({ peer, version, turn, notRun }: Place, own: Turn): PeerLine {
  const line = { case: peer.case, contender: peer.name };
  if (turn === undefined || notRun !== undefined) return { ...line, notRun: notRun ?? "" };
  const ratios = { ratioToPeer: cpuRatio(turn, own) };
  return {
    ...line,
    version,
    ...figuresOf(turn),
    ...ratios,
    ...(peer.targets === undefined ? {} : { targets: toldTargets(peer.targets, ratios) }),
  };
}

function ownVersion(): string {
  const require = createRequire(import.meta.url);
  const { version } = require("@millrace/aggregator/package.json") as { version: string };
  return `${version}, Node ${process.version}`;
}
