import type { Redis } from "ioredis";
import { explainFailure } from "../connection/explain-failure.ts";
import { RECORD_COMMANDS, producersKey } from "../wire/producer-records.ts";
import { RedisRefusedError } from "../errors.ts";
import type { PubSubTransport } from "./pubsub-source-options.ts";

/** What Redis answered for messages that were sent together. */
export interface Heard {
  /** How many subscribers got each, in order; `undefined` for one that Redis has not taken. */
  readonly subscribers: readonly (number | undefined)[];
  /** Why the first of those was not taken; `undefined`: all were. */
  readonly failure: Error | undefined;
}

/** Publishes messages on a channel, in order, in one go. It never rejects. */
export type SendTogether = (
  client: Redis,
  channel: string,
  messages: readonly (string | Buffer)[],
) => Promise<Heard>;

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
for i = 1, #ARGV - 1 do heard[i] = redis.call('SPUBLISH', KEYS[1], ARGV[i + 1]) end
return heard`,
};

/**
 * One command for all of them. It goes with the script's text, not its digest: Redis may forget a script, and then one
 * command would fail while the next is under way.
 */
export function byScript(transport: PubSubTransport): SendTogether {
  const script = SCRIPTS[transport];
  return async (client, channel, messages) => {
    const keys = transport === "sharded" ? [channel] : [];
    try {
      const heard = await client.eval(script, keys.length, ...keys, channel, ...messages);
      if (!Array.isArray(heard)) throw new TypeError(`Redis answered a script with ${typeof heard}.`);
      return { subscribers: heard.map(Number), failure: undefined };
    } catch (error) {
      const failure = error instanceof Error ? error : new Error(String(error));
      return { subscribers: messages.map(() => undefined), failure };
    }
  };
}

/** One command for each: what every user who may publish can do. Redis may refuse one and take those after it. */
export function inPipeline(transport: PubSubTransport): SendTogether {
  return async (client, channel, messages) => {
    const pipeline = client.pipeline();
    for (const message of messages) {
      if (transport === "sharded") pipeline.spublish(channel, message);
      else pipeline.publish(channel, message);
    }
    const replies = (await pipeline.exec()) ?? [];
    return {
      subscribers: replies.map(([failure, heard]) => (failure === null ? Number(heard) : undefined)),
      failure: replies.find(([failure]) => failure !== null)?.[0] ?? undefined,
    };
  };
}

/** Asks for the permission of each command, of a channel first and then of a key; returns those that are refused. */
const PROBE = `
local refused = {}
if not redis.acl_check_cmd then return refused end
for i = 3, #ARGV do
  local name = i == 3 and ARGV[1] or ARGV[2]
  if not redis.acl_check_cmd(ARGV[i], name) then refused[#refused + 1] = ARGV[i] end
end
return refused`;

/** What a user may do. */
export interface PublishRights {
  /** Scripts may be run. */
  readonly scripts: boolean;
  /** Commands that are refused, as far as can be told: without scripts, or before Redis 7, it cannot. */
  readonly refused: readonly string[];
}

/**
 * What the user of a connection may do on a channel.
 *
 * @param numbered whether a record is kept of the producer
 * @throws RedisError when it cannot be told, since Redis does not answer or is not ready
 */
export async function publishRights(
  client: Redis,
  transport: PubSubTransport,
  {
    channel,
    address,
    numbered,
  }: { readonly channel: string; readonly address: string; readonly numbered: boolean },
): Promise<PublishRights> {
  const commands = [publishCommand(transport), ...(numbered ? RECORD_COMMANDS : [])];
  const [refused, { failure }] = await Promise.all([
    refusedOf(client.eval(PROBE, 0, channel, producersKey(channel), ...commands), address),
    byScript(transport)(client, channel, []),
  ]);
  if (failure === undefined) return { scripts: true, refused };
  const reason = explainFailure(failure, address);
  if (reason instanceof RedisRefusedError) return { scripts: false, refused };
  throw reason;
}

/** Nothing where the user may not ask. */
async function refusedOf(answer: Promise<unknown>, address: string): Promise<readonly string[]> {
  try {
    const names = await answer;
    return Array.isArray(names) ? names.map(String) : [];
  } catch (error) {
    const reason = explainFailure(error, address);
    if (reason instanceof RedisRefusedError) return [];
    throw reason;
  }
}

/** The command by which a message is published. */
export function publishCommand(transport: PubSubTransport): string {
  return transport === "sharded" ? "SPUBLISH" : "PUBLISH";
}
