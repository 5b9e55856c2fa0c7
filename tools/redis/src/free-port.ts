import { once } from "node:events";
import { createServer } from "node:net";
import { LocalRedisError } from "./local-redis-error.ts";

const ATTEMPTS = 5;

/** Returns a TCP port of 127.0.0.1 that is free now. Another process may take it before its use: see {@link onFreePorts}. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new TypeError("a TCP server has a port");
  return address.port;
}

/** Starts something on ports from {@link freePort}, and tries again if another process has taken one. */
export async function onFreePorts<T>(start: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start();
    } catch (error) {
      const lostRace = error instanceof LocalRedisError && error.code === "REDIS_PORT_TAKEN";
      if (!lostRace || attempt === ATTEMPTS) throw error;
    }
  }
}
