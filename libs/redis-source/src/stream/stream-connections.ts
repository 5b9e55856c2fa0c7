import type { PartContext } from "@millrace/dataflow";
import type { RedisConnectionOptions } from "../connection/connection-options.ts";
import { KeyConnections } from "../connection/key-connections.ts";
import { readingNeeds } from "../connection/explain-failure.ts";
import { connectRedis } from "../connection/redis-connection.ts";
import type { RedisConnection } from "../connection/redis-connection.ts";
import { RetryingClient } from "../connection/retrying-client.ts";

/**
 * The connections of a source of streams. Each partition has one for its blocking reads, which can do nothing else. All
 * other commands go over one that the partitions of the source in this process share; on a cluster each partition has its
 * own, to the node that serves its stream.
 */
export class StreamConnections {
  readonly #options: RedisConnectionOptions;
  readonly #source: string;
  readonly #commands = new KeyConnections();
  /** Partitions that this process reads. */
  #partitions: number;

  /** @param source the name of all streams together, for logs and CLIENT LIST */
  constructor(options: RedisConnectionOptions, source: string, partitions: number) {
    this.#options = options;
    this.#source = source;
    this.#partitions = partitions;
  }

  /** Sets how many partitions this process reads. */
  expect(partitions: number): void {
    this.#partitions = partitions;
  }

  /** How many connections that takes, for the message when Redis accepts no more. */
  get needs(): string {
    return readingNeeds("stream", this.#partitions, this.#commands.cluster);
  }

  /** For blocking reads. @throws RedisError; the reason of the context's signal */
  async reading(stream: string, context: PartContext): Promise<RetryingClient> {
    const connection = await this.#connect(`source ${stream}`, stream, context, context.signal);
    return new RetryingClient(connection, { ...context, key: stream });
  }

  /** For commands that do not block. @throws RedisError; the reason of the context's signal */
  async commands(stream: string, context: PartContext): Promise<RetryingClient> {
    const connection = await this.#commands.connect(
      stream,
      (signal, forAll) =>
        this.#connect(`source ${forAll ? this.#source : stream} commands`, stream, context, signal),
      context.signal,
    );
    return new RetryingClient(connection, { ...context, key: stream });
  }

  #connect(
    role: string,
    key: string,
    { logger, time }: PartContext,
    signal: AbortSignal,
  ): Promise<RedisConnection> {
    return connectRedis(this.#options, { role, key, logger, time, signal, needs: this.needs });
  }
}
