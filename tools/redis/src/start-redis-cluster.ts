import { setTimeout as delay } from "node:timers/promises";
import { ask } from "./ask.ts";
import { freePort, onFreePorts } from "./free-port.ts";
import { LocalRedisError } from "./local-redis-error.ts";
import { startRedis } from "./start-redis.ts";
import type { LocalRedis } from "./start-redis.ts";

const SLOTS = 16_384;
const FORMING_RETRY_MS = 20;

/** Options of a local Redis Cluster. */
export interface LocalRedisClusterOptions {
  /** Number of masters; slots are divided evenly, without replicas. `@default 3` */
  readonly masters?: number;
  /** Further arguments of every server. `@default []` */
  readonly args?: readonly string[];
  /** How long the cluster may take to form; it needs about two seconds. `@default 20_000` */
  readonly startTimeoutMs?: number;
  /** Stops the cluster when aborted, also during the start. */
  readonly signal?: AbortSignal;
}

/** A Redis Cluster on the loopback interface, as short-lived as {@link LocalRedis}. */
export interface LocalRedisCluster extends AsyncDisposable {
  /** In the order of their slots. */
  readonly nodes: readonly LocalRedis[];
  /** Stops all nodes. Can be called any number of times. */
  stop(): Promise<void>;
}

/**
 * Starts a cluster and resolves when every node serves all slots.
 *
 * @throws LocalRedisError as {@link startRedis}, and REDIS_START_FAILED if the nodes do not form a cluster
 */
export async function startRedisCluster(options: LocalRedisClusterOptions = {}): Promise<LocalRedisCluster> {
  const { masters = 3, args = [], startTimeoutMs = 20_000, signal } = options;
  const deadline = AbortSignal.timeout(startTimeoutMs);
  const limit = AbortSignal.any(signal === undefined ? [deadline] : [deadline, signal]);
  const nodes: Node[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(nodes.map(({ redis }) => redis.stop()));
  };
  try {
    while (nodes.length < masters) nodes.push(await startNode(args, signal));
    await join(nodes, limit);
    await Promise.all(nodes.map(({ redis }) => formed(redis, masters, limit)));
  } catch (error) {
    await stop();
    if (!deadline.aborted) throw error;
    const message = `${masters} nodes did not form a cluster within ${startTimeoutMs} ms. Raise startTimeoutMs, or reduce the load of the machine.`;
    throw new LocalRedisError("REDIS_START_FAILED", message, { cause: error });
  }
  return { nodes: nodes.map(({ redis }) => redis), stop, [Symbol.asyncDispose]: stop };
}

interface Node {
  readonly redis: LocalRedis;
  readonly busPort: number;
}

async function startNode(args: readonly string[], signal: AbortSignal | undefined): Promise<Node> {
  return onFreePorts(async () => {
    const port = await freePort();
    // The default bus port, 10,000 above, may be above 65535.
    const busPort = await freePort();
    const cluster = ["--cluster-enabled", "yes", "--cluster-port", String(busPort)];
    const redis = await startRedis({ port, args: [...cluster, ...args], ...(signal && { signal }) });
    return { redis, busPort };
  });
}

/** Assigns the slots to the nodes, and connects the first node with the others (CLUSTER MEET). */
async function join(nodes: readonly Node[], signal: AbortSignal): Promise<void> {
  const firstSlot = (index: number): number => Math.floor((index * SLOTS) / nodes.length);
  for (const [index, { redis }] of nodes.entries()) {
    const range = [String(firstSlot(index)), String(firstSlot(index + 1) - 1)];
    // Distinct epochs: otherwise the nodes need seconds to resolve the collision.
    await ask(redis, ["CLUSTER", "SET-CONFIG-EPOCH", String(index + 1)], signal);
    await ask(redis, ["CLUSTER", "ADDSLOTSRANGE", ...range], signal);
  }
  const [first, ...others] = nodes;
  for (const { redis, busPort } of others) {
    const meet = ["CLUSTER", "MEET", redis.host, String(redis.port), String(busPort)];
    if (first !== undefined) await ask(first.redis, meet, signal);
  }
}

async function formed(node: LocalRedis, masters: number, signal: AbortSignal): Promise<void> {
  const wanted = ["cluster_state:ok", `cluster_slots_ok:${SLOTS}`, `cluster_known_nodes:${masters}`];
  for (;;) {
    const info = (await ask(node, ["CLUSTER", "INFO"], signal)).split("\r\n");
    if (wanted.every((line) => info.includes(line))) return;
    await delay(FORMING_RETRY_MS, undefined, { signal });
  }
}
