import { createHash } from "node:crypto";
import type { Redis } from "ioredis";
import type { PubSubTransport } from "./pubsub-source-options.ts";

/** What Redis answered for messages that were sent together. */
export interface Heard {
  /** How many subscribers got each, in order, up to the first that failed. */
  readonly subscribers: readonly number[];
  /** Why the rest has no answer; `undefined`: there is no rest. */
  readonly failure: Error | undefined;
}

/** Publishes messages on a channel, in order, in one go. It never rejects. */
export type SendTogether = (
  client: Redis,
  channel: string,
  messages: readonly (string | Buffer)[],
) => Promise<Heard>;

/** How messages are sent. */
export interface Way {
  readonly kind: "script" | "pipeline";
  readonly send: SendTogether;
}

/**
 * Fewer than so many go in a pipeline: what a script saves for each message it costs Redis for each KiB, and where few
 * make a flight they are large.
 */
const MANY = 64;

/**
 * Publishes the messages one by one in a script: a single command for the client library, which takes a fraction of
 * the time of one for each message. A cluster wants to know of a shard channel before it runs a script, and nothing of
 * others.
 */
const SCRIPTS: Readonly<Record<PubSubTransport, string>> = {
  pubsub: `
local heard = {}
for i = 2, #ARGV do heard[i - 1] = redis.call('PUBLISH', ARGV[1], ARGV[i]) end
return heard`,
  sharded: `
local heard = {}
for i = 1, #ARGV do heard[i] = redis.call('SPUBLISH', KEYS[1], ARGV[i]) end
return heard`,
};

/**
 * How messages are best sent over a new connection: by a script, with which Redis is made acquainted, or in a
 * pipeline where the user may not run scripts.
 */
export async function bestWay(client: Redis, transport: PubSubTransport): Promise<Way> {
  try {
    await client.script("LOAD", SCRIPTS[transport]);
    return { kind: "script", send: byScript(transport) };
  } catch (error) {
    if (error instanceof Error && error.name === "ReplyError") return pipelineWay(transport);
    throw error;
  }
}

/** One command for each message: what every user who may publish can do. */
export function pipelineWay(transport: PubSubTransport): Way {
  return { kind: "pipeline", send: inPipeline(transport) };
}

function inPipeline(transport: PubSubTransport): SendTogether {
  return async (client, channel, messages) => {
    const pipeline = client.pipeline();
    for (const message of messages) {
      if (transport === "sharded") pipeline.spublish(channel, message);
      else pipeline.publish(channel, message);
    }
    const subscribers: number[] = [];
    for (const [failure, heard] of (await pipeline.exec()) ?? []) {
      if (failure !== null) return { subscribers, failure };
      subscribers.push(Number(heard));
    }
    return { subscribers, failure: undefined };
  };
}

function byScript(transport: PubSubTransport): SendTogether {
  const sha = createHash("sha1").update(SCRIPTS[transport]).digest("hex");
  const keys = transport === "sharded" ? 1 : 0;
  const few = inPipeline(transport);
  return async (client, channel, messages) => {
    if (messages.length < MANY) return few(client, channel, messages);
    try {
      const heard = await client.evalsha(sha, keys, channel, ...messages);
      if (!Array.isArray(heard)) throw new TypeError(`Redis answered a script with ${typeof heard}.`);
      return { subscribers: heard.map(Number), failure: undefined };
    } catch (error) {
      return { subscribers: [], failure: error instanceof Error ? error : new Error(String(error)) };
    }
  };
}
