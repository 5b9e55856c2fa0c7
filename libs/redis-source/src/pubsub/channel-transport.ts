import type { Redis } from "ioredis";
import type { PartContext } from "@millrace/dataflow";
import { explainFailure } from "../connection/explain-failure.ts";
import { RECORD_COMMANDS, logRefusedRecord, producersKey } from "../wire/producer-records.ts";
import { RedisRefusedError } from "../errors.ts";
import { sendEach } from "../sink/send-each.ts";
import type { Answer, Transport } from "../sink/transport.ts";
import type { PubSubTransport } from "./pubsub-source-options.ts";

/**
 * Longest average message, in characters or bytes, that is sent by a script. A script saves time for each message, but
 * costs Redis time for each KiB; longer messages are sent in pipelines.
 */
const LONGEST_IN_SCRIPT = 2_048;

const NO_SCRIPTS =
  "The Redis user may not run scripts; small messages go in pipelines, for about three times the CPU time.";

/** Where messages are published. */
export interface ChannelTarget {
  readonly channel: string;
  readonly transport: PubSubTransport;
  /** Whether rows have numbers, so that the producer keeps a record. */
  readonly numbered: boolean;
  /** The address of Redis, for messages. */
  readonly address: string;
}

/** Publishes messages on one channel: many small ones with one command (a script), others in pipelines. */
export class ChannelTransport implements Transport {
  readonly key?: string;
  readonly #target: ChannelTarget;
  readonly #context: PartContext;
  /** Whether scripts can be used on the current connection. */
  #scripts = false;
  #prepared = false;

  constructor(target: ChannelTarget, context: PartContext) {
    this.#target = target;
    this.#context = context;
    if (target.transport === "sharded") this.key = target.channel;
  }

  /** @throws RedisRefusedError if the user may not publish; RedisError if Redis cannot say */
  readonly prepare = async (client: Redis): Promise<void> => {
    const { channel, transport, address } = this.#target;
    const { logger } = this.#context;
    const { scripts, refused } = await publishRights(client, this.#target);
    this.#scripts = scripts;
    // Only at the start: a permission that is revoked later fails the row that needs it.
    if (!this.#prepared) {
      const publish = publishCommand(transport);
      if (refused.includes(publish)) {
        throw new RedisRefusedError(
          `Redis at ${address} does not let this user run ${publish} on ${channel}. Give the permission with ACL SETUSER.`,
        );
      }
      if (refused.length > 0) logRefusedRecord(this.#context, channel, refused.join(", "));
    }
    this.#prepared = true;
    if (!scripts) logger.info({ event: "no-scripts", channel }, NO_SCRIPTS);
  };

  /** A pipeline has one command for each message: Redis may refuse one and accept those after it. */
  async send(client: Redis, messages: readonly (string | Buffer)[]): Promise<readonly Answer[]> {
    const { channel, transport } = this.#target;
    if (this.#scripts && messages.length > 1 && meanLength(messages) <= LONGEST_IN_SCRIPT) {
      return publishByScript(client, transport, channel, messages);
    }
    const publish = transport === "sharded" ? "spublish" : "publish";
    const replies = await sendEach(client, [publish, channel], messages);
    return replies.map((reply) => (reply instanceof Error ? reply : Number(reply)));
  }

  /** A permission was revoked, or the script was killed: a pipeline works, or shows the real cause. */
  fallBack(failure: Error): boolean {
    if (!this.#scripts || explainFailure(failure, this.#target.address).retryable) return false;
    this.#scripts = false;
    return true;
  }
}

/**
 * Publishes the messages one by one in a script. For the client library it is a single command, which takes a fraction of
 * the time of one command for each message. A cluster needs a shard channel as a key of the script; other channels are no
 * keys.
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
 * One command for all of them. It sends the script's text, not its digest: Redis may forget a script, and then one command
 * would fail while the next is in flight.
 */
async function publishByScript(
  client: Redis,
  transport: PubSubTransport,
  channel: string,
  messages: readonly (string | Buffer)[],
): Promise<readonly Answer[]> {
  const keys = transport === "sharded" ? [channel] : [];
  try {
    const heard = await client.eval(SCRIPTS[transport], keys.length, ...keys, channel, ...messages);
    if (!Array.isArray(heard)) throw new TypeError(`Redis answered a script with ${typeof heard}.`);
    return heard.map(Number);
  } catch (error) {
    const failure = error instanceof Error ? error : new Error(String(error));
    return messages.map(() => failure);
  }
}

/** In characters or bytes. */
function meanLength(messages: readonly (string | Buffer)[]): number {
  let length = 0;
  for (const message of messages) length += message.length;
  return length / messages.length;
}

/** Checks the permission of each command, the first on a channel, the others on a key; returns those that are refused. */
const PROBE = `
local refused = {}
if not redis.acl_check_cmd then return refused end
for i = 3, #ARGV do
  local name = i == 3 and ARGV[1] or ARGV[2]
  if not redis.acl_check_cmd(ARGV[i], name) then refused[#refused + 1] = ARGV[i] end
end
return refused`;

/** The permissions of a user. */
interface PublishRights {
  /** Whether scripts may be run. */
  readonly scripts: boolean;
  /** Commands that are refused, as far as is known: without scripts, or before Redis 7, nothing is. */
  readonly refused: readonly string[];
}

/**
 * The permissions of a connection's user on a channel.
 *
 * @throws RedisError if Redis does not answer or is not ready
 */
async function publishRights(
  client: Redis,
  { channel, transport, address, numbered }: ChannelTarget,
): Promise<PublishRights> {
  const commands = [publishCommand(transport), ...(numbered ? RECORD_COMMANDS : [])];
  const keys = transport === "sharded" ? [channel] : [];
  const [refused, scripts] = await Promise.all([
    unlessRefused(client.eval(PROBE, 0, channel, producersKey(channel), ...commands), address),
    unlessRefused(client.eval(SCRIPTS[transport], keys.length, ...keys, channel), address),
  ]);
  return { scripts: scripts !== undefined, refused: Array.isArray(refused) ? refused.map(String) : [] };
}

/** `undefined` if the user may not ask. */
async function unlessRefused(answer: Promise<unknown>, address: string): Promise<unknown> {
  try {
    return await answer;
  } catch (error) {
    const reason = explainFailure(error, address);
    if (reason instanceof RedisRefusedError) return undefined;
    throw reason;
  }
}

/** The command that publishes a message. */
function publishCommand(transport: PubSubTransport): string {
  return transport === "sharded" ? "SPUBLISH" : "PUBLISH";
}
