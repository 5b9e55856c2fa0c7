import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { Server, Socket } from "node:net";

/** Commands that bring something: from the publisher events, not a heartbeat; from the aggregator a commit with rows. */
const BRINGING = /\r\neval\r\n[^]*"click_id"|\r\n(xadd|publish|entry)\r\n[^]*"(click_id|numbers)"/i;

/** Stands between a program and Redis, and is as unreliable as it is told to be. */
export class FlakyProxy {
  readonly url: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #losing: (() => void) | undefined;

  static async start(redis: { readonly host: string; readonly port: number }): Promise<FlakyProxy> {
    const server = createServer({ allowHalfOpen: true });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new FlakyProxy(server, redis);
  }

  private constructor(server: Server, redis: { readonly host: string; readonly port: number }) {
    const address = server.address();
    if (address === null || typeof address === "string") throw new TypeError("a TCP server has a port");
    this.url = `redis://127.0.0.1:${address.port}`;
    this.#server = server;
    server.on("connection", (client) => {
      this.#join(client, this.#track(connect(redis.port, redis.host)));
    });
  }

  /** Breaks all connections. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /**
   * Lets Redis carry the next such command out, and breaks the connection instead of passing the answer on. Resolves
   * when that has happened.
   */
  loseAnswer(): Promise<void> {
    return new Promise((resolve) => {
      this.#losing = resolve;
    });
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, "close");
  }

  #join(client: Socket, upstream: Socket): void {
    this.#track(client);
    let lost: (() => void) | undefined;
    client.on("data", (bytes: Buffer) => {
      if (this.#losing !== undefined && BRINGING.test(bytes.toString("latin1"))) {
        lost = this.#losing;
        this.#losing = undefined;
      }
      upstream.write(bytes);
    });
    upstream.on("data", (bytes: Buffer) => {
      // A script that Redis did not know is sent again by itself, and then it counts.
      if (lost === undefined || bytes.includes("-NOSCRIPT")) {
        client.write(bytes);
        return;
      }
      client.destroy();
      lost();
    });
    // What was sent before shall still be carried out: Redis reads it before it meets the end.
    client.on("close", () => upstream.end());
    client.on("end", () => upstream.end());
    upstream.on("close", () => client.destroy());
    upstream.on("end", () => client.end());
  }

  #track(socket: Socket): Socket {
    this.#sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => this.#sockets.delete(socket));
    return socket;
  }
}
