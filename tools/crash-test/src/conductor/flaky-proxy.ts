import { startLoopbackProxy } from "@millrace/local-redis";
import type { LoopbackProxy } from "@millrace/local-redis";

/** Commands with data: from the publisher events, not a heartbeat; from the aggregator a commit with rows. */
const BRINGING = /\r\neval\r\n[^]*"click_id"|\r\n(xadd|publish|entry)\r\n[^]*"(click_id|numbers)"/i;

/** A proxy between a program and Redis that can inject faults. */
export interface FlakyProxy extends Pick<LoopbackProxy, "url" | "cut" | "freeze" | "close"> {
  /**
   * Lets Redis execute the next such command, and closes the connection instead of passing on the reply. Resolves after
   * that.
   */
  loseAnswer(): Promise<void>;
}

export async function startFlakyProxy(redis: {
  readonly host: string;
  readonly port: number;
}): Promise<FlakyProxy> {
  let losing: (() => void) | undefined;
  const proxy = await startLoopbackProxy(redis, {
    tap: (connection) => {
      let lost: (() => void) | undefined;
      return {
        onRequest: (bytes) => {
          if (losing !== undefined && BRINGING.test(bytes.toString("latin1"))) {
            lost = losing;
            losing = undefined;
          }
          connection.toServer(bytes);
        },
        onAnswer: (bytes) => {
          // A script unknown to Redis (NOSCRIPT) is sent again automatically; only then it counts.
          if (lost === undefined || bytes.includes("-NOSCRIPT")) {
            connection.toClient(bytes);
            return;
          }
          connection.cut();
          lost();
        },
      };
    },
  });
  return {
    ...proxy,
    loseAnswer: () =>
      new Promise((resolve) => {
        losing = resolve;
      }),
  };
}
