import type { Redis } from "ioredis";
import type { PartContext } from "@millrace/dataflow";
import type { RedisConnectionOptions } from "../connection/connection-options.ts";
import { connectRedis } from "../connection/redis-connection.ts";
import { beginningOf } from "./beginning.ts";
import type { Beginning } from "./beginning.ts";
import { readState } from "./stream-commands.ts";
import type { StreamStart } from "./stream-source-options.ts";

/**
 * From which time on (ms) a task that begins at a place of a stream reads all of it, as the stream is now. It changes nothing.
 *
 * @returns −Infinity: it reads all that there ever was
 * @throws RedisError if there is no usable Redis within `connectTimeoutMs`; the signal's reason
 */
export async function streamWholeFrom(
  options: RedisConnectionOptions,
  stream: string,
  start: StreamStart,
  { logger, time, signal }: Pick<PartContext, "logger" | "time"> & { readonly signal?: AbortSignal },
): Promise<number> {
  let beginning: Beginning | undefined;
  const prepare = async (client: Redis): Promise<void> => {
    beginning = beginningOf(start, await readState(client, stream), time.now());
  };
  const role = `beginning ${stream}`;
  const connection = await connectRedis(options, { role, key: stream, logger, time, signal, prepare });
  await connection.close();
  return beginning?.position.wholeFrom ?? Number.NEGATIVE_INFINITY;
}
