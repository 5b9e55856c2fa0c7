import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { Socket } from "node:net";
import { cleanUp } from "./servers.ts";

/** Stands between a store and its Redis, and loses answers and times meetings, on purpose. */
export interface CuttingProxy {
  readonly url: string;
  /** Script calls that passed. */
  readonly calls: number;
  /** Lets Redis carry the `n`-th script call from now on out, and cuts the connection instead of the answer. */
  cutAnswer(n: number): void;
  /** Does something else, once, before the next such command goes on to Redis. */
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
  const sockets = new Set<Socket>();
  const track = (socket: Socket): Socket => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
    return socket;
  };
  const server = createServer((client) => {
    track(client);
    const upstream = track(connect(redis.port, redis.host));
    let cutting = false;
    client.on("data", (bytes) => {
      calls += bytes.toString("latin1").match(CALL)?.length ?? 0;
      if (fatal !== undefined && calls >= fatal) {
        fatal = undefined;
        cutting = true;
      }
      const { command, action } = ambush ?? {};
      if (command === undefined || !bytes.includes(`\r\n${command}\r\n`)) upstream.write(bytes);
      else {
        ambush = undefined;
        void action?.().then(() => upstream.write(bytes));
      }
    });
    upstream.on("data", (bytes) => {
      if (cutting) client.destroy();
      else client.write(bytes);
    });
    client.on("close", () => upstream.destroy());
    upstream.on("close", () => client.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanUp(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, "close");
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("a TCP server has a port");
  return {
    url: `redis://127.0.0.1:${address.port}`,
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
