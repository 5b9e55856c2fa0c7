export { findRedisServer } from "./find-redis-server.ts";
export { GuardedProcess } from "./guarded-process.ts";
export { freePort } from "./free-port.ts";
export { LocalRedisError } from "./local-redis-error.ts";
export { startLoopbackProxy } from "./start-loopback-proxy.ts";
export { startRedisCluster } from "./start-redis-cluster.ts";
export { startRedisSentinel } from "./start-redis-sentinel.ts";
export { startRedis } from "./start-redis.ts";
export { TLS_FIXTURE } from "./tls-fixture.ts";

export type { RedisServerProgram } from "./find-redis-server.ts";
export type { LocalRedisErrorCode } from "./local-redis-error.ts";
export type {
  LoopbackProxy,
  LoopbackProxyOptions,
  ProxiedConnection,
  ProxyTap,
} from "./start-loopback-proxy.ts";
export type { LocalRedisCluster, LocalRedisClusterOptions } from "./start-redis-cluster.ts";
export type { LocalRedisSentinel, LocalRedisSentinelOptions } from "./start-redis-sentinel.ts";
export type { LocalRedis, LocalRedisOptions } from "./start-redis.ts";
