import { DEATHS } from "../../aggregator/death.ts";
import type { Faults } from "../round.ts";
import type { SentinelBed } from "../sentinel-bed.ts";
import type { TestBed } from "../test-bed.ts";
import { cutAggregator, cutPublisher, halfOpen, loseCommitAnswer, losePublishAnswer } from "./connections.ts";
import { anyMode, paged } from "./fault.ts";
import { evict, recount, wrongTypeOfResult, wrongTypeOfState } from "./keys.ts";
import { fullDisk, slowReader } from "./output.ts";
import { dieAt, kill, stop, twoOwners } from "./processes.ts";
import { failOver } from "./sentinels.ts";
import { killRedis, storeAway } from "./server.ts";

/** Faults of a single Redis, and of the connections to it. */
export const SERVER_FAULTS: Faults<TestBed> = Object.freeze({
  kill: { needs: anyMode, strike: kill },
  "kill-redis": { needs: anyMode, strike: killRedis },
  "store-away": { needs: anyMode, strike: storeAway },
  "two-owners": { needs: paged, portions: 3, strike: twoOwners },
  "cut-aggregator": { needs: anyMode, strike: cutAggregator },
  "cut-publisher": { needs: anyMode, strike: cutPublisher },
  "half-open": { needs: anyMode, strike: halfOpen },
  "lose-commit-answer": { needs: paged, strike: loseCommitAnswer },
  "lose-publish-answer": { needs: anyMode, strike: losePublishAnswer },
  stop: { needs: anyMode, strike: stop },
  "wrong-type-result": { needs: anyMode, portions: 2, strike: wrongTypeOfResult },
  "wrong-type-state": { needs: anyMode, portions: 2, strike: wrongTypeOfState },
  evict: { needs: anyMode, strike: evict },
  recount: { needs: anyMode, strike: recount },
  "slow-reader": { needs: paged, portions: 3, strike: slowReader },
  "full-disk": { needs: paged, portions: 2, strike: fullDisk },
  ...Object.fromEntries(DEATHS.map((place) => [place, dieAt(place)])),
});

/** Faults of a Redis with Sentinels. */
export const SENTINEL_FAULTS: Faults<SentinelBed> = Object.freeze({
  "sentinel-failover": { needs: paged, portions: 3, strike: failOver },
});

/** Names of all faults. */
export const FAULT_NAMES: readonly string[] = [SERVER_FAULTS, SENTINEL_FAULTS].flatMap((faults) =>
  Object.keys(faults),
);
