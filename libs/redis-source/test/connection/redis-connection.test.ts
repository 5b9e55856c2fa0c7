import { afterEach, describe, expect, it } from "@jest/globals";
import { connect as connectTcp, createServer } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { Redis } from "ioredis";
import { TLS_FIXTURE, freePort, startRedis } from "@millrace/local-redis";
import { SYSTEM_TIME } from "@millrace/dataflow";
import type { LocalRedis, LocalRedisOptions } from "@millrace/local-redis";
import { connectRedis } from "../../src/connection/redis-connection.ts";
import type { ConnectSettings, RedisConnection } from "../../src/connection/redis-connection.ts";
import type { RedisConnectionOptions } from "../../src/connection/connection-options.ts";
import {
  RedisAuthError,
  RedisClosedError,
  RedisError,
  RedisProtocolError,
  RedisRefusedError,
  RedisReplicaError,
  RedisTlsError,
  RedisTooOldError,
  RedisUnreachableError,
} from "../../src/errors.ts";
import { VirtualTime } from "@millrace/dataflow/testing";
import { RecordingLogger } from "../support/recording-logger.ts";
import { infoReply, listen, scriptedRedis } from "../support/scripted-server.ts";
import { until } from "../support/until.ts";

const cleanUps: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function server(options: LocalRedisOptions = {}): Promise<LocalRedis> {
  const redis = await startRedis(options);
  cleanUps.push(() => redis.stop());
  return redis;
}

interface Connected {
  readonly connection: RedisConnection;
  readonly logger: RecordingLogger;
}

async function connect(
  options: RedisConnectionOptions,
  settings: Partial<ConnectSettings> = {},
): Promise<Connected> {
  const logger = new RecordingLogger();
  const connection = await connectRedis(options, { role: "test", logger, time: SYSTEM_TIME, ...settings });
  cleanUps.push(() => connection.close());
  return { connection, logger };
}

async function refusal(
  options: RedisConnectionOptions,
  settings?: Partial<ConnectSettings>,
): Promise<RedisError> {
  try {
    await connect(options, settings);
  } catch (error) {
    if (error instanceof RedisError) return error;
    throw error;
  }
  throw new Error("the connection was not refused");
}

describe("connecting", () => {
  it("warns, once, that a map of addresses has no effect with one server", async () => {
    const { url } = await server();
    const logger = new RecordingLogger();
    for (let i = 0; i < 2; i += 1) await connect({ url, natMap: { "10.0.0.1:1": "redis:1" } }, { logger });
    expect(logger.of("option-unused")).toMatchObject([
      { level: "warn", message: expect.stringContaining("--redis-nat-map") },
    ]);
  });

  it("prepares a client before it is handed out", async () => {
    const { url } = await server();
    const { connection } = await connect(
      { url },
      { prepare: (client) => client.set("a", "1").then(() => undefined) },
    );
    const client = await connection.whenUp();
    expect(await client.get("a")).toBe("1");
    expect([connection.number, connection.disconnects]).toEqual([1, 0]);
  });

  it("reports within the time limit that no server answers, and at which address", async () => {
    const port = await freePort();
    const error = await refusal({ host: "127.0.0.1", port, connectTimeoutMs: 200 });
    expect(error).toBeInstanceOf(RedisUnreachableError);
    expect(error.message).toMatch(`No Redis at 127.0.0.1:${port}: connect ECONNREFUSED`);
  });

  it("waits for a Redis that is starting", async () => {
    const port = await freePort();
    const logger = new RecordingLogger();
    const connecting = connect({ host: "127.0.0.1", port, connectTimeoutMs: 10_000 }, { logger });
    await logger.logged("redis-waiting");
    const [{ connection }] = await Promise.all([connecting, server({ port })]);
    expect(await (await connection.whenUp()).ping()).toBe("PONG");
    expect(logger.entries.map(({ message }) => message)).toEqual([
      expect.stringMatching(
        `no connection to Redis at 127.0.0.1:${port} yet \\(connect ECONNREFUSED .*; trying for 10 s`,
      ),
    ]);
  });

  it("makes its last attempt as late as it can, with time left for an answer", async () => {
    const time = new VirtualTime();
    const attempts = new Set<number>();
    const loading = await scriptedRedis(() => {
      attempts.add(time.monotonic());
      return "-LOADING Redis is loading the dataset in memory\r\n";
    });
    cleanUps.push(() => loading.close());
    const options = { host: "127.0.0.1", port: loading.port, connectTimeoutMs: 5_000 };
    const refused = refusal(options, { time, random: () => 1 });
    const expected = [0, 50, 150, 350, 750, 1_550, 3_150, 4_900];
    // Time passes only in the pauses, never while an attempt is in flight.
    for (const [made, at] of expected.slice(1).entries()) {
      await until(() => attempts.size === made + 1 && time.nextAlarm === at);
      time.set(at);
    }
    expect(await refused).toMatchObject({ message: expect.stringContaining("LOADING") });
    expect([...attempts]).toEqual(expected);
    expect(time.nextAlarm).toBeUndefined();
  });

  it("gives up on a server that says nothing", async () => {
    const silent = await listen(createServer());
    cleanUps.push(() => silent.close());
    const error = await refusal({ host: "127.0.0.1", port: silent.port, connectTimeoutMs: 50 });
    expect(error).toBeInstanceOf(RedisUnreachableError);
    expect(error.message).toMatch("did not answer within 50 ms");
  });

  it("is given up on abort, during an attempt or between two, but not once it is open", async () => {
    const silent = await listen(createServer());
    cleanUps.push(() => silent.close());
    for (const port of [silent.port, await freePort()]) {
      const controller = new AbortController();
      const time = new VirtualTime();
      const settings = { time, signal: controller.signal, random: () => 1 };
      const connecting = connect({ host: "127.0.0.1", port }, settings);
      // The time limit of the attempt, and then the pause before the next.
      await until(() => time.nextAlarm === (port === silent.port ? 3_000 : 50));
      const reason = new Error("not wanted any more");
      controller.abort(reason);
      await expect(connecting).rejects.toBe(reason);
      expect(time.nextAlarm).toBeUndefined();
    }
    const controller = new AbortController();
    const { connection } = await connect({ url: (await server()).url }, { signal: controller.signal });
    controller.abort();
    expect(await (await connection.whenUp()).ping()).toBe("PONG");
  });

  it("reports a server that is not a Redis", async () => {
    const web = await listen(
      createServer((socket) => {
        socket.write("HTTP/1.1 400 Bad Request\r\n\r\n");
      }),
    );
    cleanUps.push(() => web.close());
    expect(await refusal({ host: "127.0.0.1", port: web.port })).toBeInstanceOf(RedisProtocolError);
  });

  it("refuses a server older than 7.0 and names its version", async () => {
    const old = await scriptedRedis(([name]) => (name === "info" ? infoReply("6.2.14") : "+OK\r\n"));
    cleanUps.push(() => old.close());
    const error = await refusal({ host: "127.0.0.1", port: old.port });
    expect(error).toBeInstanceOf(RedisTooOldError);
    expect(error.message).toMatch("version 6.2.14; Millrace needs Redis or Valkey 7.0");
  });

  it("refuses a database that the server does not have", async () => {
    const { port } = await server();
    expect(await refusal({ host: "127.0.0.1", port, db: 99 })).toBeInstanceOf(RedisRefusedError);
  });
});

describe("a server that accepts no connection", () => {
  it("is quoted: too many are connected", async () => {
    const redis = await server();
    const { connection: admin } = await connect({ url: redis.url });
    await (await admin.whenUp()).config("SET", "maxclients", "1");
    const error = await refusal({ url: redis.url, connectTimeoutMs: 300 });
    expect(error).toBeInstanceOf(RedisUnreachableError);
    expect(error.message).toMatch("accepts no more connections: ERR max number of clients reached");
    expect(error.message).toMatch("each channel or stream that is read or written holds one connection");
  });

  it("is quoted: it accepts only its own machine", async () => {
    const words = "DENIED Redis is running in protected mode because protected mode is enabled.";
    const closed = await listen(
      createServer((socket) => {
        socket.end(`-${words}\r\n`);
      }),
    );
    cleanUps.push(() => closed.close());
    const error = await refusal({ host: "127.0.0.1", port: closed.port });
    expect(error).toBeInstanceOf(RedisRefusedError);
    expect(error.message).toMatch(`refuses: ${words}`);
  });

  it("is waited for, and quoted in the log, if it was reached before", async () => {
    const redis = await server();
    const { connection: admin } = await connect({ url: redis.url });
    const control = await admin.whenUp();
    const { connection, logger } = await connect({ url: redis.url });
    await control.config("SET", "maxclients", "1");
    connection.discard(await connection.whenUp());
    await logger.logged("redis-not-ready");
    await control.config("SET", "maxclients", "100");
    expect(await (await connection.whenUp()).ping()).toBe("PONG");
    expect(logger.of("redis-not-ready").map(({ message }) => message)).toEqual([
      expect.stringMatching("max number of clients reached"),
    ]);
  });
});

describe("a server that reports little about itself", () => {
  it.each([
    ["CONFIG", [], undefined],
    ["CONFIG and INFO", ["INFO"], /does not answer INFO.*cannot see when it loads.*version \d/],
    ["CONFIG, INFO and HELLO", ["INFO", "HELLO"], /as if it were 7.0 or newer, and a master/],
  ])("is used without %s", async (_, commands, warning) => {
    const args = ["CONFIG", ...commands].flatMap((command) => ["--rename-command", command, ""]);
    const redis = await server({ args });
    const { connection, logger } = await connect({ url: redis.url });
    expect(await (await connection.whenUp()).set("a", "1")).toBe("OK");
    expect(logger.entries.map(({ message }) => message)).toEqual(
      warning === undefined ? [] : [expect.stringMatching(warning)],
    );
  });
});

describe("a defect in prepare", () => {
  const defect = new TypeError("Cannot read properties of undefined");

  it("is not reported as a missing Redis", async () => {
    const { url } = await server();
    await expect(connect({ url }, { prepare: () => Promise.reject(defect) })).rejects.toBe(defect);
  });

  it("rejects the calls that wait, when it shows on reconnecting", async () => {
    const { url } = await server();
    let prepared = 0;
    const prepare = (): Promise<void> => {
      prepared += 1;
      return prepared > 1 ? Promise.reject(defect) : Promise.resolve();
    };
    const { connection } = await connect({ url }, { prepare });
    connection.discard(await connection.whenUp());
    await expect(connection.whenUp()).rejects.toBe(defect);
    await expect(connection.whenUp()).rejects.toBe(defect);
  });
});

describe("a replica", () => {
  it("is refused at the start, with what to name instead", async () => {
    const primary = await server();
    const replica = await server({ args: ["--replicaof", primary.host, String(primary.port)] });
    // With time standing still no retry could come to an end.
    const error = await refusal({ url: replica.url }, { time: new VirtualTime() });
    expect(error).toBeInstanceOf(RedisReplicaError);
    expect(error.message).toMatch(`Redis at 127.0.0.1:${replica.port} is a replica. Name the master instead`);
  });

  it("is recognised by HELLO if INFO is not allowed", async () => {
    const primary = await server();
    const args = ["--replicaof", primary.host, String(primary.port), "--rename-command", "INFO", ""];
    const { url } = await server({ args });
    expect(await refusal({ url })).toBeInstanceOf(RedisReplicaError);
  });

  it("that was a primary before is waited for, and the log says why", async () => {
    const [first, second] = [await server(), await server()];
    const { connection, logger } = await connect({ url: first.url }, { role: "sink clicks" });
    const client = await connection.whenUp();
    await client.replicaof(second.host, second.port);
    const readOnly: unknown = await client.set("a", "1").catch((error: unknown) => error);
    connection.discard(client, readOnly);
    await logger.logged("redis-not-ready");
    const admin = new Redis(first.url);
    await admin.replicaof("NO", "ONE");
    admin.disconnect();
    expect(await (await connection.whenUp()).set("a", "1")).toBe("OK");
    await logger.logged("redis-back");
    expect(logger.entries.map(({ event }) => event)).toEqual(["redis-lost", "redis-not-ready", "redis-back"]);
    expect(logger.entries[0]?.message).toMatch(
      "lost (sink clicks): READONLY You can't write against a read only replica; reconnecting",
    );
    expect(logger.entries[1]?.message).toMatch("is a replica. Name the master instead");
  });
});

describe("a Unix socket", () => {
  it("is an address like any other", async () => {
    const folder = await mkdtemp(join(tmpdir(), "millrace-socket-"));
    cleanUps.push(() => rm(folder, { recursive: true }));
    const path = join(folder, "redis.sock");
    await server({ args: ["--unixsocket", path] });
    const { connection } = await connect({ url: `unix://${path}?db=2` });
    expect(await (await connection.whenUp()).client("INFO")).toMatch(/ db=2 /);
    expect(connection.address).toBe(path);
    const error = await refusal({ path: `${path}.gone`, connectTimeoutMs: 100 });
    expect(error.message).toMatch(`No Redis at ${path}.gone: connect ENOENT`);
  });
});

describe("nodes that announce other addresses", () => {
  it("are reached at the addresses in the map", async () => {
    const owner = await server();
    const sent = await scriptedRedis(([name = ""]) => {
      if (name === "info") return infoReply("7.2.0");
      return name === "exists" ? "-MOVED 42 10.255.255.1:6379\r\n" : "+OK\r\n";
    });
    cleanUps.push(() => sent.close());
    const { connection } = await connect(
      {
        host: "127.0.0.1",
        port: sent.port,
        natMap: { "10.255.255.1:6379": `127.0.0.1:${owner.port}` },
      },
      { key: "clicks" },
    );
    expect(await (await connection.whenUp()).ping()).toBe("PONG");
    expect(connection.address).toBe(`127.0.0.1:${owner.port}`);
  });
});

describe("credentials", () => {
  it.each([
    ["a wrong password", (port: number) => `redis://:wr0ng-Secret@127.0.0.1:${port}`],
    ["no password", (port: number) => `redis://127.0.0.1:${port}`],
    ["an unknown user", (port: number) => `redis://ana:wr0ng-Secret@127.0.0.1:${port}`],
  ])("names %s at once and shows no secret", async (_, url) => {
    const { port } = await server({ password: "right-Secret" });
    // With time standing still no retry could come to an end.
    const error = await refusal({ url: url(port) }, { time: new VirtualTime() });
    expect(error).toBeInstanceOf(RedisAuthError);
    expect(inspect(error, { depth: null, showHidden: true })).not.toMatch(/Secret/);
  });

  it("works for an ACL user that may run neither INFO nor CLIENT SETNAME, with one warning", async () => {
    const redis = await server();
    const { connection: admin } = await connect({ url: redis.url });
    await (await admin.whenUp()).acl("SETUSER", "ana", "on", ">pw", "+ping");
    const { connection, logger } = await connect({
      host: redis.host,
      port: redis.port,
      username: "ana",
      password: "pw",
    });
    expect(await (await connection.whenUp()).ping()).toBe("PONG");
    connection.discard(await connection.whenUp());
    expect(await (await connection.whenUp()).ping()).toBe("PONG");
    expect(logger.of("redis-no-info")).toHaveLength(1);
  });

  it("names the permission that an ACL user lacks", async () => {
    const redis = await server();
    const { connection: admin } = await connect({ url: redis.url });
    await (await admin.whenUp()).acl("SETUSER", "ana", "on", ">pw", "+info", "+subscribe", "resetchannels");
    const error = await refusal(
      { host: redis.host, port: redis.port, username: "ana", password: "pw" },
      { prepare: (client) => client.subscribe("clicks").then(() => undefined) },
    );
    expect(error).toBeInstanceOf(RedisRefusedError);
    expect(error.message).toMatch(/NOPERM.*channel.*ACL SETUSER/);
  });
});

describe("TLS", () => {
  async function tlsInFrontOf(redis: LocalRedis): Promise<number> {
    const proxy = await listen(
      createTlsServer(TLS_FIXTURE, (socket) => {
        const inner = connectTcp(redis.port, redis.host);
        socket.pipe(inner).pipe(socket);
        for (const end of [socket, inner]) end.on("error", () => inner.destroy());
        socket.on("close", () => inner.destroy());
      }),
    );
    cleanUps.push(() => proxy.close());
    return proxy.port;
  }

  it("speaks to a server whose certificate is trusted", async () => {
    const port = await tlsInFrontOf(await server());
    const { connection } = await connect({
      url: `rediss://localhost:${port}`,
      tls: { ca: TLS_FIXTURE.cert },
    });
    expect(await (await connection.whenUp()).ping()).toBe("PONG");
    expect(connection.address).toBe(`localhost:${port} (TLS)`);
  });

  it("names a certificate that is not trusted", async () => {
    const port = await tlsInFrontOf(await server());
    const error = await refusal({ url: `rediss://localhost:${port}` }, { time: new VirtualTime() });
    expect(error).toBeInstanceOf(RedisTlsError);
    expect(error.message).toMatch(/self-signed certificate/);
  });

  it("is suggested if a server does not speak it, or speaks nothing else", async () => {
    const { port } = await server();
    const plain = await refusal({ url: `rediss://127.0.0.1:${port}`, connectTimeoutMs: 100 });
    expect(plain.message).toMatch("one without TLS needs redis://");
    const tlsPort = await tlsInFrontOf(await server());
    const encrypted = await refusal({ url: `redis://127.0.0.1:${tlsPort}`, connectTimeoutMs: 100 });
    expect(encrypted.message).toMatch("wants TLS needs a rediss:// URL");
  });
});

describe("a lost connection", () => {
  it("comes back with a new number, and is logged once when it is lost and once when it is back", async () => {
    const redis = await server();
    let prepared = 0;
    const { connection, logger } = await connect(
      { url: redis.url },
      {
        prepare: async (client) => {
          await client.ping();
          prepared += 1;
        },
      },
    );
    await redis.kill();
    await logger.logged("redis-lost");
    expect(connection.client).toBeUndefined();
    const waiting = connection.whenUp();
    await redis.restart();
    expect(await (await waiting).ping()).toBe("PONG");
    await logger.logged("redis-back");
    expect([connection.number, connection.disconnects, prepared]).toEqual([2, 1, 2]);
    expect(logger.entries.map(({ level, event }) => [level, event])).toEqual([
      ["warn", "redis-lost"],
      ["info", "redis-back"],
    ]);
    expect(logger.of("redis-lost")[0]?.message).toMatch(`connection to 127.0.0.1:${redis.port} lost (test)`);
  });

  it("rejects the commands that had no answer", async () => {
    const redis = await server();
    const { connection } = await connect({ url: redis.url });
    const client = await connection.whenUp();
    const blocked = client.blpop("nothing", 0);
    const rejected = expect(blocked).rejects.toThrow("Connection is closed");
    await redis.kill();
    await rejected;
  });

  it("logs once that the server now refuses the password, and keeps trying", async () => {
    const redis = await server();
    const { connection: admin } = await connect({ url: redis.url });
    const control = await admin.whenUp();
    const { connection, logger } = await connect({ url: redis.url, password: "" });
    await control.config("SET", "requirepass", "new");
    await control.client("KILL", "TYPE", "normal", "SKIPME", "yes");
    await logger.logged("redis-refused");
    expect(logger.of("redis-refused")[0]?.fields).toMatchObject({ code: RedisAuthError.code });
    await control.config("SET", "requirepass", "");
    expect(await (await connection.whenUp()).ping()).toBe("PONG");
    expect(logger.of("redis-refused")).toHaveLength(1);
  });

  it("is replaced when its user discards it", async () => {
    const { url } = await server();
    const { connection, logger } = await connect({ url });
    const first = await connection.whenUp();
    connection.discard(first);
    const second = await connection.whenUp();
    expect(second).not.toBe(first);
    expect(logger.of("redis-lost")[0]?.message).toMatch(
      "lost (test): it did not answer as it should; reconnecting",
    );
    connection.discard(first);
    expect(connection.client).toBe(second);
    expect(connection.number).toBe(2);
  });
});

describe("closing", () => {
  it("rejects calls that wait for a connection, and later ones", async () => {
    const redis = await server();
    const { connection, logger } = await connect({ url: redis.url });
    await redis.kill();
    await logger.logged("redis-lost");
    const waiting = expect(connection.whenUp()).rejects.toBeInstanceOf(RedisClosedError);
    await connection.close();
    await waiting;
    await expect(connection.whenUp()).rejects.toBeInstanceOf(RedisClosedError);
    await connection.close();
  });

  it("does not wait for a server that hangs, and rejects its unanswered commands", async () => {
    const redis = await server();
    const { connection } = await connect({ url: redis.url });
    const client = await connection.whenUp();
    await redis.kill("SIGSTOP");
    const ping = expect(client.ping()).rejects.toThrow("Connection is closed");
    await connection.close();
    await ping;
    expect(client.status).toBe("end");
  });

  it("ends a running attempt to reconnect", async () => {
    const redis = await server();
    let attempts = 0;
    const { connection, logger } = await connect(
      { url: redis.url },
      {
        prepare: async (client) => {
          attempts += 1;
          if (attempts > 1) await client.blpop("nothing", 0);
        },
      },
    );
    connection.discard(await connection.whenUp());
    await until(() => attempts === 2);
    await connection.close();
    expect(connection.client).toBeUndefined();
    expect(logger.of("redis-back")).toEqual([]);
  });
});
