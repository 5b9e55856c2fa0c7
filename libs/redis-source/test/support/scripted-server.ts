import { once } from "node:events";
import { createServer } from "node:net";
import type { Server, Socket } from "node:net";

/** A TCP server on loopback, for behaviour that a real Redis cannot be made to show. */
export interface ScriptedServer {
  readonly port: number;
  close(): Promise<void>;
}

export async function listen(server: Server): Promise<ScriptedServer> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("a TCP server has a port");
  return {
    port: address.port,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** Answers each command with what `answer` returns; `undefined`: no answer. */
export function scriptedRedis(
  answer: (command: readonly string[], socket: Socket) => string | undefined,
): Promise<ScriptedServer> {
  const server = createServer((socket) => {
    let received = "";
    socket.setEncoding("latin1");
    socket.on("data", (chunk: string) => {
      received += chunk;
      for (let parsed = parse(received); parsed !== undefined; parsed = parse(received)) {
        received = received.slice(parsed.length);
        const reply = answer(parsed.command, socket);
        if (reply !== undefined) socket.write(reply);
      }
    });
  });
  return listen(server);
}

/** The part of INFO's answer that a client reads. */
export function infoReply(version: string): string {
  const text = `redis_version:${version}\r\nloading:0\r\n`;
  return `$${text.length}\r\n${text}\r\n`;
}

function parse(text: string): { command: string[]; length: number } | undefined {
  const command: string[] = [];
  let end = text.indexOf("\r\n");
  if (end < 0) return undefined;
  const count = Number(text.slice(1, end));
  let at = end + 2;
  while (command.length < count) {
    end = text.indexOf("\r\n", at);
    if (end < 0) return undefined;
    const length = Number(text.slice(at + 1, end));
    at = end + 2;
    if (text.length < at + length + 2) return undefined;
    command.push(text.slice(at, at + length));
    at += length + 2;
  }
  return { command, length: at };
}
