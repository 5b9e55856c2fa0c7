import { startLoopbackProxy } from "@millrace/local-redis";
import { cleanUp } from "./servers.ts";

/** A proxy between a store and its Redis, which drops answers and times actions on purpose. */
export interface CuttingProxy {
  readonly url: string;
  /** Script calls that passed. */
  readonly calls: number;
  /** Lets Redis run the `n`-th script call from now on, and cuts the connection before the answer. */
  cutAnswer(n: number): void;
  /** Runs an action, once, before the next such command is sent to Redis. */
  before(command: string, action: () => Promise<unknown>): void;
}

const CALL = /^evalsha\r$/gim;

export async function cuttingProxy(redis: {
  readonly host: string;
  readonly port: number;
}): Promise<CuttingProxy> {
  let calls = 0;
  let fatal: number | undefined;
  let ambush: { readonly command: string; readonly action: () => Promise<unknown> } | undefined;
  const proxy = await startLoopbackProxy(redis, {
    tap: (connection) => {
      let cutting = false;
      return {
        onRequest: (bytes) => {
          calls += bytes.toString("latin1").match(CALL)?.length ?? 0;
          if (fatal !== undefined && calls >= fatal) {
            fatal = undefined;
            cutting = true;
          }
          const { command, action } = ambush ?? {};
          if (command === undefined || !bytes.includes(`\r\n${command}\r\n`)) connection.toServer(bytes);
          else {
            ambush = undefined;
            void action?.().then(() => {
              connection.toServer(bytes);
            });
          }
        },
        onAnswer: (bytes) => {
          if (cutting) connection.cut();
          else connection.toClient(bytes);
        },
      };
    },
  });
  cleanUp(() => proxy.close());
  return {
    url: proxy.url,
    get calls() {
      return calls;
    },
    cutAnswer(n) {
      fatal = calls + n;
    },
    before(command, action) {
      ambush = { command, action };
    },
  };
}
