import type { Redis } from "ioredis";
import type { PartContext } from "@millrace/dataflow";
import type { RedisConnectionOptions } from "../connection/connection-options.ts";
import { connectRedis } from "../connection/redis-connection.ts";
import { fieldsOf, listOf, numberOf, textOf } from "./stream-commands.ts";

/**
 * How many entries of a stream a flow has still to commit, by the consumer group that shows its progress. It changes nothing.
 *
 * @returns `undefined`: there is no such stream or group, or Redis cannot say (after an XDEL)
 * @throws RedisError if there is no usable Redis within `connectTimeoutMs`; the signal's reason
 */
export async function streamLag(
  options: RedisConnectionOptions,
  stream: string,
  group: string,
  { logger, time, signal }: Pick<PartContext, "logger" | "time"> & { readonly signal?: AbortSignal },
): Promise<number | undefined> {
  let lag: number | undefined;
  const prepare = async (client: Redis): Promise<void> => {
    lag = await lagOf(client, stream, group);
  };
  const connection = await connectRedis(options, {
    role: `lag ${stream}`,
    key: stream,
    logger,
    time,
    signal,
    prepare,
  });
  await connection.close();
  return lag;
}

async function lagOf(client: Redis, stream: string, group: string): Promise<number | undefined> {
  try {
    const groups = listOf(await client.xinfo("GROUPS", stream)).map(fieldsOf);
    const lag = groups.find((each) => textOf(each.get("name")) === group)?.get("lag");
    return lag === undefined || lag === null ? undefined : numberOf(lag);
  } catch (error) {
    if (error instanceof Error && error.message.includes("no such key")) return undefined;
    throw error;
  }
}
