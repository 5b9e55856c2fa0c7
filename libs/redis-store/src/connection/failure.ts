import { messageOf } from "@millrace/dataflow";
import { RedisError, RedisRefusedError } from "@millrace/redis-source";
import type { NodeAddress } from "./connection-pool.ts";

/** What to do about a command that failed. */
export type Failure =
  /** The slot is on another node. */
  | { readonly kind: "moved"; readonly to: NodeAddress }
  /** It may work in a while, with the node that a fresh look finds. */
  | { readonly kind: "retry"; readonly reason: string }
  | { readonly kind: "final"; readonly error: Error };

const MOVED = /^MOVED \d+ (.*):(\d+)$/;
/** Two ways of saying no permission: the second one from within a script. */
const FORBIDDEN = /\bNOPERM\b|\bThe user executing the script\b/;
/** Starting, failing over, moving a slot, out of memory or disk: conditions that end. */
const PASSING = /^(LOADING|BUSY|CLUSTERDOWN|MASTERDOWN|TRYAGAIN|ASK|READONLY|NOREPLICAS|MISCONF|OOM)\b/;

/** @param address where the command was sent, as `host:port` */
export function failureOf(error: unknown, address: string): Failure {
  if (error instanceof RedisError) {
    return error.retryable ? { kind: "retry", reason: error.message } : { kind: "final", error };
  }
  const message = messageOf(error);
  if (!(error instanceof Error) || error.name !== "ReplyError") {
    return { kind: "retry", reason: `the connection to ${address} was lost (${message}).` };
  }
  const [, host, port] = MOVED.exec(message) ?? [];
  if (host !== undefined) {
    // A node that does not know its own name means the one it was reached by.
    const known = host === "" || host === "?" ? address.slice(0, address.lastIndexOf(":")) : host;
    return { kind: "moved", to: { host: known, port: Number(port) } };
  }
  if (PASSING.test(message)) return { kind: "retry", reason: `Redis at ${address} answers: ${message}.` };
  const remedy = FORBIDDEN.test(message)
    ? " Give the user that permission with ACL SETUSER; the store's README lists what it needs."
    : "";
  return { kind: "final", error: new RedisRefusedError(`Redis at ${address} refuses: ${message}.${remedy}`) };
}
