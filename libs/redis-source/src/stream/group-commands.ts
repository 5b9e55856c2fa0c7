import type { Redis } from "ioredis";
import type { PartContext } from "@millrace/dataflow";
import type { RedisConnectionOptions } from "../connection/connection-options.ts";
import { connectRedis } from "../connection/redis-connection.ts";
import { RedisGroupError } from "../errors.ts";
import { BEFORE_ALL } from "./entry-id.ts";
import type { Place } from "./place.ts";
import { fieldsOf, listOf, numberOf, textOf } from "./stream-commands.ts";

/** The name of a consumer that marks the groups made by Millrace. Nothing is read through it. */
const MARK = "millrace";

/**
 * KEYS: stream. ARGV: group, mark, id, arguments about entries read… One script, so that it never marks the group of
 * another program, and never leaves a group of ours without a mark.
 */
const MAKE_GROUP = `
redis.call('XGROUP', 'CREATE', KEYS[1], ARGV[1], ARGV[3], 'MKSTREAM', unpack(ARGV, 4))
redis.call('XGROUP', 'CREATECONSUMER', KEYS[1], ARGV[1], ARGV[2])
`;

/** The progress of a consumer group. */
export interface GroupProgress {
  readonly name: string;
  /** Every entry up to this id is done: the group needs nothing before it. */
  readonly doneUpTo: string;
}

/** All consumer groups of a stream. */
export async function readGroups(client: Redis, stream: string): Promise<readonly GroupProgress[]> {
  const groups = listOf(await client.xinfo("GROUPS", stream)).map(fieldsOf);
  return Promise.all(
    groups.map(async (group) => {
      const name = textOf(group.get("name"));
      const delivered = textOf(group.get("last-delivered-id"));
      const pending = numberOf(group.get("pending"));
      return {
        name,
        doneUpTo: pending === 0 ? delivered : await firstPending(client, stream, name, delivered),
      };
    }),
  );
}

/** Claims the group and moves it to a place. @throws RedisGroupError if it was not made by Millrace */
export async function showProgress(
  client: Redis,
  stream: string,
  group: string,
  place: Place,
): Promise<void> {
  await claimGroup(client, stream, group, place);
  await client.call("XGROUP", "SETID", stream, group, place.id, ...entriesRead(place));
}

/**
 * Makes a consumer group that has read up to a place, and the stream if there is none. The group gets a mark by which
 * Millrace recognises it; an existing group with the mark stays as it is.
 *
 * @throws RedisGroupError for a group without the mark: another program reads through it, and would miss what this one
 *   has committed
 */
export async function claimGroup(client: Redis, stream: string, group: string, place: Place): Promise<void> {
  if (await isClaimed(client, stream, group)) return;
  try {
    await client.eval(MAKE_GROUP, 1, stream, group, MARK, place.id, ...entriesRead(place));
  } catch (error) {
    if (!(error instanceof Error) || !error.message.includes("BUSYGROUP")) throw error;
    // It was made in between: by another task of ours, or by another program.
    await isClaimed(client, stream, group);
  }
}

/**
 * Checks a group before anything is opened.
 *
 * @param needs how many connections the source takes, for the message when Redis accepts no more
 * @throws RedisGroupError for a group without the mark; RedisError if there is no usable Redis within
 *   `connectTimeoutMs`; the reason of the context's signal
 */
export async function lookAtGroup(
  options: RedisConnectionOptions,
  stream: string,
  group: string,
  { logger, time, signal }: Pick<PartContext, "logger" | "time" | "signal">,
  needs: string,
): Promise<void> {
  const prepare = async (client: Redis): Promise<void> => {
    await isClaimed(client, stream, group);
  };
  const settings = { role: `group ${stream}`, key: stream, logger, time, signal, prepare, needs };
  const connection = await connectRedis(options, settings);
  await connection.close();
}

/** @returns `false`: there is no such group. @throws RedisGroupError for one without the mark */
async function isClaimed(client: Redis, stream: string, group: string): Promise<boolean> {
  const consumers = await consumersOf(client, stream, group);
  if (consumers === undefined) return false;
  if (!consumers.includes(MARK)) throw foreignGroup(stream, group);
  return true;
}

/** The names of a group's consumers; `undefined`: there is no such group. */
async function consumersOf(
  client: Redis,
  stream: string,
  group: string,
): Promise<readonly string[] | undefined> {
  try {
    const consumers = listOf(await client.xinfo("CONSUMERS", stream, group));
    return consumers.map((consumer) => textOf(fieldsOf(consumer).get("name")));
  } catch (error) {
    if (error instanceof Error && /^NOGROUP|no such key/.test(error.message)) return undefined;
    throw error;
  }
}

function foreignGroup(stream: string, group: string): RedisGroupError {
  return new RedisGroupError(
    `Consumer group "${group}" of stream "${stream}" was not made by Millrace, and a program that reads through it would miss what ` +
      "this flow has read. Choose another name with --group (option group), or delete the group with XGROUP DESTROY if " +
      "it is not used.",
  );
}

/** Deletes whole nodes of the stream, which is cheap; some entries below `id` may stay. @returns how many were deleted */
export async function trimBelow(client: Redis, stream: string, id: string, limit: number): Promise<number> {
  return client.xtrim(stream, "MINID", "~", id, "LIMIT", limit);
}

/** The first entry that is delivered and not acknowledged: the group may need it again. */
async function firstPending(
  client: Redis,
  stream: string,
  group: string,
  delivered: string,
): Promise<string> {
  const [, first] = await client.xpending(stream, group);
  return first === null || first === undefined ? delivered : textOf(first);
}

/** Without the number Redis estimates it if it can, and shows no lag if it cannot. */
function entriesRead({ id, entries }: Place): readonly (string | number)[] {
  if (entries !== null) return ["ENTRIESREAD", entries];
  return id === BEFORE_ALL ? ["ENTRIESREAD", 0] : [];
}
