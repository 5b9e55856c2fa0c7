import { connect } from "node:net";
import type { TimeProvider } from "@millrace/dataflow";
import type { RedisTarget } from "./connection-options.ts";

/** How long to listen: Redis says at once why it takes no connection. */
const LISTEN_MS = 500;

/**
 * Why a server closed a connection as soon as it was made ("max number of clients reached", protected mode): its words,
 * without the leading `-`. It says them and closes, and what a client writes after that makes the system forget them;
 * so this connection writes nothing.
 *
 * @returns undefined when it says nothing, or TLS would have to be spoken first
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
