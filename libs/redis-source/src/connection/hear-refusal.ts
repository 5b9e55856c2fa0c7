import { connect } from "node:net";
import type { TimeProvider } from "@millrace/dataflow";
import type { RedisTarget } from "./connection-options.ts";

/** How long to listen: Redis says at once why it accepts no connection. */
const LISTEN_MS = 500;

/**
 * Why a server closes a connection as soon as it is made ("max number of clients reached", protected mode): the text of
 * its reply, without the leading `-`. The server sends the reply and closes. If the client writes after that, the system
 * drops the reply, so this connection writes nothing.
 *
 * @returns undefined if the server sends nothing, or needs TLS first
 */
export async function hearRefusal(
  { host, port, path, tls }: RedisTarget,
  time: TimeProvider,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (tls !== undefined || signal.aborted) return undefined;
  const socket = path === undefined ? connect(port, host) : connect(path);
  let heard = "";
  const over = (): void => {
    socket.destroy();
  };
  const cancel = time.wakeAfter(LISTEN_MS, over);
  signal.addEventListener("abort", over, { once: true });
  try {
    await new Promise<void>((resolve) => {
      socket.setEncoding("utf8").on("data", (text: string) => {
        heard += text;
        if (heard.includes("\r\n") || !heard.startsWith("-")) over();
      });
      socket
        .on("error", () => undefined)
        .once("close", () => {
          resolve();
        });
    });
  } finally {
    cancel();
    signal.removeEventListener("abort", over);
  }
  return /^-(.+)/.exec(heard)?.[1];
}
