import type { LocalKafka } from "@millrace/local-kafka";
import type { LoopbackProxy } from "@millrace/local-redis";
import type { OtherSide } from "../support/other-side.ts";

/** What the tests of a suite share: they start no broker of their own. */
export interface Bench {
  readonly kafka: LocalKafka;
  readonly other: OtherSide;
  /** Between clients that are given its address and the broker, which sends them to it. */
  readonly proxy: LoopbackProxy;
}

/** Adds tests. The bench is there while they run. */
export type Suite = (bench: () => Bench) => void;
