import type { PartContext } from "@millrace/dataflow";
import type { RedisConnectionOptions } from "../connection/connection-options.ts";
import { readingNeeds } from "../connection/reading-needs.ts";
import { connectRedis } from "../connection/redis-connection.ts";
import type { RedisConnection } from "../connection/redis-connection.ts";
import { SharedConnection } from "../connection/shared-connection.ts";
import { StreamLink } from "./stream-link.ts";

/**
 * The connections of a source of streams. Each partition has one on which reads wait for entries, and nothing else can
 * be asked at the same time. Everything else goes over one that all partitions of the source in this process share; only on a
 * cluster each has its own, since it goes to the node that serves the stream.
 */
export class StreamLinks {
  readonly #options: RedisConnectionOptions;
  readonly #source: string;
  readonly #shared = new SharedConnection();
  /** The stream whose node the shared connection leads to, on a cluster. */
  #sharedStream: string | undefined;
  /** Partitions that this process reads. */
  #partitions: number;
  #cluster = false;

  /** @param source the name of all streams together, for logs and CLIENT LIST */
  constructor(options: RedisConnectionOptions, source: string, partitions: number) {
    this.#options = options;
    this.#source = source;
    this.#partitions = partitions;
  }

  /** Of all partitions, this process reads so many. */
  expect(partitions: number): void {
    this.#partitions = partitions;
  }

  /** How many connections that takes, for the message when Redis accepts no more. */
  get needs(): string {
    const count = this.#partitions;
    return readingNeeds("stream", count, count + (this.#cluster ? count : 1));
  }

  /** For a read that waits. @throws RedisError; the reason of the context's signal */
  async reading(stream: string, context: PartContext): Promise<StreamLink> {
    const connection = await this.#connect(`source ${stream}`, stream, context, context.signal);
    return new StreamLink(stream, connection, context);
  }

  /** For all that is answered at once. @throws RedisError; the reason of the context's signal */
  async commands(stream: string, context: PartContext): Promise<StreamLink> {
    const lease = await this.#shared.lease((signal) => {
      this.#sharedStream = stream;
      return this.#connect(`source ${this.#source} commands`, stream, context, signal);
    }, context.signal);
    this.#cluster = lease.cluster;
    if (!lease.cluster || stream === this.#sharedStream) {
      return new StreamLink(stream, lease, context, true);
    }
    await lease.close();
    const role = `source ${stream} commands`;
    return new StreamLink(stream, await this.#connect(role, stream, context, context.signal), context);
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
