import { once } from "node:events";
import { connect } from "node:net";

/** Address of a Redis, and its password, if any. */
export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  /** Of the default user. `@default none` */
  readonly password?: string | undefined;
}

/** The server refused the command; the message is its reply without the leading `-`, such as `NOAUTH …`. */
export class RedisRefusal extends Error {}

/**
 * Sends one command to a Redis over a new connection: a minimal client for PING, INFO and CLUSTER.
 *
 * @returns the text of a simple string, bulk string or integer reply, or of the last one in a list; empty for nil
 * @throws RedisRefusal for an error reply; the error of `node:net` if nothing listens; the signal's reason
 */
export async function ask(
  address: RedisAddress,
  command: readonly string[],
  signal: AbortSignal,
): Promise<string> {
  const commands = address.password === undefined ? [command] : [["AUTH", address.password], command];
  const socket = connect(address.port, address.host);
  const abort = (): void => {
    socket.destroy(signal.reason instanceof Error ? signal.reason : new Error("aborted"));
  };
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  try {
    await once(socket, "connect");
    socket.write(commands.map(encode).join(""));
    let received = Buffer.alloc(0);
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      received = Buffer.concat([received, chunk]);
      const replies = decode(received, commands.length);
      const last = replies?.at(-1);
      if (last !== undefined) return last;
    }
    throw new Error(`${address.host}:${address.port} closed the connection without a reply`);
  } finally {
    signal.removeEventListener("abort", abort);
    socket.destroy();
  }
}

function encode(command: readonly string[]): string {
  const parts = command.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`);
  return `*${command.length}\r\n${parts.join("")}`;
}

/** Parses `count` replies; `undefined` while one of them is incomplete. */
function decode(received: Buffer, count: number): string[] | undefined {
  const replies: string[] = [];
  let at = 0;
  let wanted = count;
  while (replies.length < wanted) {
    const end = received.indexOf("\r\n", at);
    if (end < 0) return undefined;
    const kind = received.toString("latin1", at, at + 1);
    const line = received.toString("utf8", at + 1, end);
    at = end + 2;
    if (kind === "*") {
      wanted += Number(line) - 1;
      continue;
    }
    if (kind === "-") throw new RedisRefusal(line);
    if (kind !== "$") {
      replies.push(line);
      continue;
    }
    const length = Number(line);
    if (length < 0) {
      replies.push("");
      continue;
    }
    if (received.length < at + length + 2) return undefined;
    replies.push(received.toString("utf8", at, at + length));
    at += length + 2;
  }
  return replies;
}
