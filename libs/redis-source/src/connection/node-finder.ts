import type { RedisTarget } from "./connection-options.ts";
import { openClient } from "./open-client.ts";
import type { LiveClient, OpenSettings } from "./open-client.ts";
import { OwnerFinder } from "./owner-finder.ts";
import { SentinelFinder } from "./sentinel-finder.ts";

/** Knows where to connect, anew for each connection. */
export interface NodeFinder {
  /** The node of the last connection, or what was configured; for people. */
  readonly address: string;
  /** Opens a connection to the node that serves now. @throws RedisError */
  open(settings: OpenSettings): Promise<LiveClient>;
}

/** @param key on a cluster the connection follows this key's slot; `undefined`: it stays with the node that is named */
export function finderFor(target: RedisTarget, key: string | undefined): NodeFinder {
  if (target.sentinel !== undefined) return new SentinelFinder(target, target.sentinel);
  if (key !== undefined) return new OwnerFinder(target, key);
  return { address: target.address, open: (settings) => openClient(target, settings) };
}
