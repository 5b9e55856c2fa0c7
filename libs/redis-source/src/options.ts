/* What a program needs to read its options, without sources, sinks and connections. */
// For users whose compiler includes no types on its own: some signatures have types of Node.
/// <reference types="node" preserve="true" />
export { RedisOptionsError } from "./errors.ts";
export { describeRedis } from "./connection/connection-options.ts";
export { StartClock } from "./connection/start-clock.ts";
export { parseRedisUrl } from "./connection/redis-url.ts";
export { partitionsOf } from "./partitions/partition-names.ts";
export { patternPartition } from "./pubsub/pubsub-source-options.ts";
export { isProducerName } from "./sink/framing-options.ts";
export { SHORTEST_WAITING_LENGTH } from "./stream/waiting-length.ts";
