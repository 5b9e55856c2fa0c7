import type { LocalKafka } from "@millrace/local-kafka";
import type { OtherSide } from "../support/other-side.ts";

/** What the tests of a suite share: they start no broker of their own. */
export interface Bench {
  readonly kafka: LocalKafka;
  readonly other: OtherSide;
}

/** Adds tests. The bench is there while they run. */
export type Suite = (bench: () => Bench) => void;
