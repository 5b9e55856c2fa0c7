import type { Redis } from "ioredis";
import { RedisUnreachableError } from "../errors.ts";
import type { Topic } from "./pubsub-source-options.ts";

/** Resolves when Redis has confirmed the subscription: what is published from then on is received. */
export async function subscribe(
  client: Redis,
  { kind, name }: Topic,
  receive: (channel: Buffer, message: Buffer) => void,
): Promise<void> {
  if (kind === "pubsub") {
    client.on("messageBuffer", receive);
    await client.subscribe(name);
    return;
  }
  if (kind === "pattern") {
    client.on("pmessageBuffer", (_: string, channel: Buffer, message: Buffer) => {
      receive(channel, message);
    });
    await client.psubscribe(name);
    return;
  }
  client.on("smessageBuffer", receive);
  await new Promise((resolve, reject) => {
    // The client reports a node that no longer serves the channel by an event; the command then gets no answer.
    client.once("moved", () => {
      reject(new RedisUnreachableError(`The Redis Cluster has just moved the shard channel ${name}.`));
    });
    client.ssubscribe(name).then(resolve, reject);
  });
}

/** Resolves when everything published before the call has been received. */
export function unsubscribe(client: Redis, { kind, name }: Topic): Promise<unknown> {
  switch (kind) {
    case "pubsub":
      return client.unsubscribe(name);
    case "sharded":
      return client.sunsubscribe(name);
    case "pattern":
      return client.punsubscribe(name);
  }
}

/**
 * Calls back when the client no longer matches replies to its commands: a node that loses the channel's slot pushes an
 * unsubscribe message, for which the client library has no command.
 */
export function onProtocolDesync(client: Redis, callback: () => void): void {
  client.on("error", (error: unknown) => {
    // A socket's error has a code, and closes the connection anyway.
    if (typeof error === "object" && error !== null && !("code" in error)) callback();
  });
}

/** Pings a subscribed connection. @throws if the answer belongs to something else */
export async function ping(client: Redis): Promise<void> {
  const answer: unknown = await client.ping();
  if (!Array.isArray(answer) || String(answer[0]) !== "pong") {
    throw new RedisUnreachableError("Redis answered a subscriber's PING as if there were no subscription.");
  }
}
