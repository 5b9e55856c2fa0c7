import type { Logger } from "@millrace/dataflow";
import type { ConsumerTask, Contender } from "../conductor/contender.ts";
import type { Target } from "../rounds/targets.ts";

/** How many times as fast Millrace is: its events per CPU second against the peer's. */
export type PeerRatio = "ratioToPeer";

/** Another tool that does the same. */
export interface Peer extends Pick<Contender, "name" | "share" | "idling"> {
  readonly case: string;
  readonly targets?: readonly Target<PeerRatio>[];
  /**
   * Brings what it needs, once; what is there already is used again.
   *
   * @throws Error where that cannot be had
   */
  readonly setUp: (settings: SetUpSettings) => Promise<ReadyPeer>;
}

export interface SetUpSettings {
  readonly signal: AbortSignal;
  readonly logger: Logger;
}

/** A peer that can be run. */
export interface ReadyPeer {
  readonly version: string;
  readonly command: Contender["command"];
}

/** How programs in other languages are told their task. */
export function taskEnv({ bed, channel, windowMs }: ConsumerTask): Readonly<Record<string, string>> {
  return { ...bed.env, BENCH_CHANNEL: channel, BENCH_WINDOW_MS: String(windowMs) };
}
