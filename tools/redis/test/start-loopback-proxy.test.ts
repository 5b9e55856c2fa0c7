import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { Server, Socket } from "node:net";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { startLoopbackProxy } from "../src/start-loopback-proxy.ts";
import type { LoopbackProxy, LoopbackProxyOptions } from "../src/start-loopback-proxy.ts";
import { until } from "./helpers.ts";

let echo: Server;
let proxy: LoopbackProxy;
/** The data that the server received. */
let got: string;

beforeEach(async () => {
  got = "";
  echo = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.on("data", (bytes) => {
      got += String(bytes);
      socket.write(bytes);
    });
  });
  echo.listen(0, "127.0.0.1");
  await once(echo, "listening");
});

afterEach(async () => {
  await Promise.all([proxy.close(), proxy.close()]);
  echo.close();
});

async function through(options?: LoopbackProxyOptions): Promise<Socket> {
  const address = echo.address();
  if (address === null || typeof address === "string") throw new TypeError("a TCP server has a port");
  proxy = await startLoopbackProxy(address, options);
  return client();
}

async function client(): Promise<Socket> {
  const socket = connect(proxy.port, proxy.host);
  socket.setEncoding("utf8").on("error", () => undefined);
  await once(socket, "connect");
  return socket;
}

async function answerTo(socket: Socket, text: string): Promise<unknown> {
  const answered = once(socket, "data");
  socket.write(text);
  return (await answered)[0];
}

test("carries bytes both ways", async () => {
  const socket = await through();
  expect(await answerTo(socket, "a")).toBe("a");
});

test("cuts the current connections", async () => {
  const socket = await through();
  await answerTo(socket, "a");
  const closed = once(socket, "close");
  proxy.cut();
  await closed;
  expect(await answerTo(await client(), "b")).toBe("b");
});

test("frozen, it carries nothing and closes nothing, and lets new connections work", async () => {
  const frozen = await through();
  await answerTo(frozen, "a");
  proxy.freeze();
  const heard: unknown[] = [];
  for (const event of ["data", "end", "close"]) frozen.on(event, () => heard.push(event));
  frozen.write("lost");
  expect(await answerTo(await client(), "b")).toBe("b");
  expect({ got, heard }).toEqual({ got: "ab", heard: [] });
});

test("delivers what a client sent before it closed the connection", async () => {
  const socket = await through();
  socket.write("a");
  socket.destroySoon();
  await until("the server has it", () => got === "a");
});

test("lets its tap decide what is passed on, and when", async () => {
  const socket = await through({
    tap: (connection) => ({
      onRequest: (bytes) => {
        connection.toServer(Buffer.from(String(bytes).toUpperCase()));
      },
      onAnswer: (bytes) => {
        if (bytes.includes("CUT")) connection.cut();
        else connection.toClient(bytes);
      },
    }),
  });
  expect(await answerTo(socket, "a")).toBe("A");
  const closed = once(socket, "close");
  socket.write("cut");
  await closed;
  expect(got).toBe("ACUT");
});
