import { ask, RedisRefusal } from "./ask.ts";
import { LocalRedisError } from "./local-redis-error.ts";
import { onGone, ownerOf } from "./owner.ts";
import { startRedis } from "./start-redis.ts";

/*
 * The Redis that `aggregator:serve` and `publisher:serve` share: the one that the environment names, else one that
 * already answers on the port, else a new one. Runs until it is asked to end.
 */

const PROBE_TIMEOUT_MS = 1_000;

const url = variable("REDIS_URL");
const host = variable("REDIS_HOST");
const given = variable("REDIS_PORT") ?? "6379";
const port = Number(given);
const password = variable("REDIS_PASSWORD");

const stopRequest = new Promise<"stop">((resolve) => {
  // Permanent listeners, since the signal may arrive several times.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      resolve("stop");
    });
  }
});

try {
  if (url !== undefined) await attach(url.replace(/\/\/.*@/, "//"));
  else if (host !== undefined) await attach(`${host}:${port}`);
  // Kubernetes sets REDIS_PORT=tcp://10.96.0.11:6379.
  else if (Number.isNaN(port)) await attach(given);
  else if (await answers()) await share();
  else await own();
} catch (error) {
  if (!(error instanceof LocalRedisError)) throw error;
  say(error.message);
  process.exitCode = 1;
}
// A process that ends by itself removes its signal handlers first: one more signal would then decide its exit status.
process.exit();

async function attach(where: string): Promise<void> {
  say(`using the Redis at ${where}`);
  const alive = setInterval(() => undefined, 2 ** 30);
  await stopRequest;
  clearInterval(alive);
}

/** Uses a running Redis. If another program has started it, it ends with that program. */
async function share(): Promise<void> {
  const address = { host: "localhost", port, password };
  const owner = await ownerOf(address);
  const where = `localhost:${port}`;
  if (owner !== undefined) {
    void onGone(address, () => {
      say(`the Redis at ${where} was started by ${owner} and has ended with it`);
    });
  }
  await attach(owner === undefined ? where : `${where} that ${owner} has started`);
}

async function own(): Promise<void> {
  const redis = await startRedis({ port, ...(password !== undefined && { password }) });
  say(`Redis started on localhost:${port} (nothing is kept when it ends)`);
  const alive = setInterval(() => undefined, 2 ** 30);
  if ((await Promise.race([stopRequest, redis.ended])) !== "stop") {
    say("Redis has ended unexpectedly");
    process.exitCode = 1;
  }
  clearInterval(alive);
  await redis.stop();
}

/** Whether a Redis listens on the port, including one that needs a password or is still loading its data. */
async function answers(): Promise<boolean> {
  try {
    await ask({ host: "localhost", port }, ["PING"], AbortSignal.timeout(PROBE_TIMEOUT_MS));
    return true;
  } catch (error) {
    return error instanceof RedisRefusal;
  }
}

/** An empty variable counts as not set. */
function variable(name: string): string | undefined {
  const value = process.env[name];
  return value === "" ? undefined : value;
}

function say(sentence: string): void {
  console.error(`redis: ${sentence}`);
}
