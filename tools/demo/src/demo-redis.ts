import { startRedis } from "@millrace/local-redis";

/** The Redis of a run of the demo. */
export interface DemoRedis {
  /** Description for the user. */
  readonly where: string;
  /** Environment of the programs, with the address of this Redis. */
  readonly env: Readonly<Record<string, string | undefined>>;
  stop(): Promise<void>;
}

/**
 * Uses the Redis that the environment names, or else starts a temporary one. It runs until `stop`, also after Ctrl-C: the
 * programs need it until they are done.
 */
export async function demoRedis(named: boolean): Promise<DemoRedis> {
  if (named) return { where: "the Redis that the environment names", env: {}, stop: () => Promise.resolve() };
  const redis = await startRedis();
  return {
    where: `a Redis of its own on ${redis.host}:${redis.port}`,
    env: {
      REDIS_URL: redis.url,
      REDIS_PORT: undefined,
      REDIS_USERNAME: undefined,
      REDIS_PASSWORD: undefined,
      REDIS_PASSWORD_FILE: undefined,
      REDIS_TLS: undefined,
    },
    stop: () => redis.stop(),
  };
}
