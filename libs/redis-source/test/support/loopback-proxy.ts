import { connect, createServer } from "node:net";
import type { Socket } from "node:net";
import { listen } from "./scripted-server.ts";
import type { ScriptedServer } from "./scripted-server.ts";

/** Stands between a client and a server on loopback, until it is told to fall silent. */
export interface LoopbackProxy extends ScriptedServer {
  /** Connections of now stay open and carry nothing any more, as if a cable had been pulled; new ones work. */
  freeze(): void;
}

export async function loopbackProxy(port: number): Promise<LoopbackProxy> {
  const upstreams = new Set<Socket>();
  let frozen = new WeakSet<Socket>();
  const server = createServer((client) => {
    const upstream = connect(port, "127.0.0.1");
    upstreams.add(upstream);
    upstream.on("error", () => undefined);
    client.on("data", (bytes: Buffer) => {
      if (!frozen.has(upstream)) upstream.write(bytes);
    });
    upstream.on("data", (bytes: Buffer) => {
      if (!frozen.has(upstream)) client.write(bytes);
    });
    client.on("close", () => upstream.destroy());
    upstream.on("close", () => {
      upstreams.delete(upstream);
      if (!frozen.has(upstream)) client.destroy();
    });
  });
  const listening = await listen(server);
  return {
    port: listening.port,
    freeze() {
      frozen = new WeakSet(upstreams);
    },
    async close() {
      for (const upstream of upstreams) upstream.destroy();
      await listening.close();
    },
  };
}
