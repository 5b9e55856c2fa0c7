import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { Socket } from "node:net";

/** One connection through a {@link LoopbackProxy}. */
export interface ProxiedConnection {
  toServer(bytes: Uint8Array): void;
  toClient(bytes: Uint8Array): void;
  /** Closes it at both ends. */
  cut(): void;
}

/** Gets the data of a connection, and decides what to pass on, and when. */
export interface ProxyTap {
  /** `@default passed on at once` */
  readonly onRequest?: (bytes: Buffer) => void;
  /** `@default passed on at once` */
  readonly onAnswer?: (bytes: Buffer) => void;
}

/** Options of a proxy. */
export interface LoopbackProxyOptions {
  /** Called for each new connection. `@default data is passed on unchanged` */
  readonly tap?: (connection: ProxiedConnection) => ProxyTap;
}

/** A proxy between clients and a server that can inject faults. */
export interface LoopbackProxy extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** `redis://…`, without a password. */
  readonly url: string;
  /** Closes all current connections. */
  cut(): void;
  /** Current connections stay open but carry no more data, as if a cable were unplugged; new ones work. */
  freeze(): void;
  /** Can be called any number of times. */
  close(): Promise<void>;
}

/** Listens on a free port of the loopback interface, and connects to the server for each client. */
export async function startLoopbackProxy(
  server: { readonly port: number; readonly host?: string },
  { tap = () => ({}) }: LoopbackProxyOptions = {},
): Promise<LoopbackProxy> {
  const links = new Set<Link>();
  const listener = createServer({ allowHalfOpen: true }, (client) => {
    const link = new Link(client, connect(server.port, server.host ?? "127.0.0.1"), tap);
    links.add(link);
    client.on("close", () => links.delete(link));
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const address = listener.address();
  if (address === null || typeof address === "string") throw new TypeError("a TCP server has a port");
  const cut = (): void => {
    for (const link of links) link.cut();
  };
  let closed: Promise<unknown> | undefined;
  const close = async (): Promise<void> => {
    closed ??= once(listener.close(), "close");
    cut();
    await closed;
  };
  return {
    host: "127.0.0.1",
    port: address.port,
    url: `redis://127.0.0.1:${address.port}`,
    cut,
    freeze() {
      for (const link of links) link.freeze();
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

class Link implements ProxiedConnection {
  readonly #client: Socket;
  readonly #server: Socket;
  #frozen = false;

  constructor(client: Socket, server: Socket, tap: (connection: ProxiedConnection) => ProxyTap) {
    this.#client = client;
    this.#server = server;
    const { onRequest, onAnswer } = tap(this);
    client.on("error", () => undefined);
    server.on("error", () => undefined);
    client.on(
      "data",
      onRequest ??
        ((bytes) => {
          this.toServer(bytes);
        }),
    );
    server.on(
      "data",
      onAnswer ??
        ((bytes) => {
          this.toClient(bytes);
        }),
    );
    // Data sent before the end is still delivered: the server reads it before the end of the stream.
    client.on("end", () => {
      this.#unlessFrozen(() => server.end());
    });
    client.on("close", () => (this.#frozen ? server.destroy() : server.end()));
    server.on("end", () => {
      this.#unlessFrozen(() => client.end());
    });
    server.on("close", () => {
      this.#unlessFrozen(() => client.destroy());
    });
  }

  toServer(bytes: Uint8Array): void {
    this.#unlessFrozen(() => this.#server.write(bytes));
  }

  toClient(bytes: Uint8Array): void {
    this.#unlessFrozen(() => this.#client.write(bytes));
  }

  cut(): void {
    this.#client.destroy();
    this.#server.destroy();
  }

  freeze(): void {
    this.#frozen = true;
  }

  #unlessFrozen(act: () => unknown): void {
    if (!this.#frozen) act();
  }
}
