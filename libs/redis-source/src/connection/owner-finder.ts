import type { Redis } from "ioredis";
import { RedisError } from "../errors.ts";
import { nodeOf } from "./connection-options.ts";
import type { RedisTarget } from "./connection-options.ts";
import { isReply, replyKind } from "./explain-failure.ts";
import { openClient } from "./open-client.ts";
import type { LiveClient, NodeFinder, OpenSettings } from "./open-client.ts";

/** A cluster that redirects more often is being rebuilt: start over after a pause. */
const MAX_HOPS = 5;
const MOVED = /^MOVED \d+ (.*):(\d+)$/;

/** A node reports that another one serves the key. It is handled here, and never leaves this file. */
class MovedError extends RedisError {
  readonly code: string = "MOVED";
  override readonly retryable = true;
  readonly to: RedisTarget;

  constructor(to: RedisTarget) {
    super(`the key is served by ${to.address}`);
    this.to = to;
  }
}

/**
 * Finds the node that serves a key's slot, and remembers the other nodes of the cluster in case it dies. On a Redis
 * that is no cluster this is the configured node.
 */
export class OwnerFinder implements NodeFinder {
  readonly #key: string;
  /** Where to ask, the last known owner first. */
  #nodes: readonly RedisTarget[];

  constructor(configured: RedisTarget, key: string) {
    this.#key = key;
    this.#nodes = [configured];
  }

  /** The node that last served the key; for messages. */
  get address(): string {
    return this.#nodes[0]?.address ?? "";
  }

  /**
   * Opens a connection to the owner, found through one node; if this fails, the next call asks another node.
   *
   * @throws RedisError
   */
  async open(settings: OpenSettings): Promise<LiveClient> {
    const [first, ...others] = this.#nodes;
    if (first === undefined) throw new Error("there is always the node that was configured");
    let node = first;
    const deadline = settings.time.monotonic() + settings.timeoutMs;
    for (let hop = 0; ; hop += 1) {
      const asked = node;
      let known: readonly RedisTarget[] = [];
      const prepare = async (client: Redis): Promise<void> => {
        await this.#ask(client, asked);
        known = await nodesKnownTo(client, asked);
        await settings.prepare(client);
      };
      try {
        const timeoutMs = hop === 0 ? settings.timeoutMs : deadline - settings.time.monotonic();
        const live = await openClient(asked, { ...settings, timeoutMs, prepare });
        this.#nodes = distinct([asked, ...this.#nodes, ...known]);
        return live;
      } catch (error) {
        if (!(error instanceof MovedError) || hop === MAX_HOPS) {
          this.#nodes = [...others, first];
          throw error;
        }
        node = error.to;
      }
    }
  }

  /** Any command on the key makes a node report where the key is. */
  async #ask(client: Redis, node: RedisTarget): Promise<void> {
    try {
      await client.exists(this.#key);
    } catch (error) {
      const message = error instanceof Error ? error.message : "";
      const [, host, port] = MOVED.exec(message) ?? [];
      if (host !== undefined) throw new MovedError(at(node, host, Number(port)));
      // A user without the permission gets the error from the first command that matters.
      if (replyKind(error) !== "forbidden") throw error;
    }
  }
}

async function nodesKnownTo(client: Redis, asked: RedisTarget): Promise<readonly RedisTarget[]> {
  try {
    const slots: unknown = await client.call("CLUSTER", "SLOTS");
    return listOf(slots).flatMap((range) => nodesIn(range, asked));
  } catch (error) {
    // No cluster, or a user without the permission: then only one node is known.
    if (isReply(error)) return [];
    throw error;
  }
}

/** A range is its first slot, its last one, the master, then its replicas; each node is host, port and more. */
function nodesIn(range: unknown, asked: RedisTarget): readonly RedisTarget[] {
  return listOf(range)
    .slice(2)
    .flatMap((node) => {
      const [host, port] = listOf(node);
      return typeof port === "number" ? [at(asked, typeof host === "string" ? host : "", port)] : [];
    });
}

/** A node that does not know its own name has the name it was reached by. */
function at(asked: RedisTarget, host: string, port: number): RedisTarget {
  return nodeOf(asked, { host: host === "" || host === "?" ? asked.host : host, port });
}

function distinct(nodes: readonly RedisTarget[]): readonly RedisTarget[] {
  return [...new Map(nodes.map((node) => [node.address, node])).values()];
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
