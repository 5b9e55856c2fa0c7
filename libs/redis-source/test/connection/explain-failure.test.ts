import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { Redis } from "ioredis";
import { startRedis } from "@millrace/local-redis";
import type { LocalRedis } from "@millrace/local-redis";
import { RedisStreamSink, RedisStreamSource } from "@millrace/redis-source";
import { explainFailure, isWrongNode } from "../../src/connection/explain-failure.ts";
import {
  RedisAuthError,
  RedisRefusedError,
  RedisReplicaError,
  RedisUnreachableError,
} from "../../src/errors.ts";
import { partContext } from "../support/part-context.ts";

let server: LocalRedis;
let redis: Redis;

beforeAll(async () => {
  server = await startRedis();
  redis = new Redis(server.url);
  await redis.set("text", "1");
});

afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

function reply(message: string): Error {
  return Object.assign(new Error(message), { name: "ReplyError" });
}

describe("an error reply", () => {
  it.each([
    ["LOADING Redis is loading the dataset in memory", RedisUnreachableError, true, false],
    ["BUSY Redis is busy running a script.", RedisUnreachableError, true, false],
    ["MISCONF Redis is configured to save RDB snapshots.", RedisUnreachableError, true, false],
    ["NOREPLICAS Not enough good replicas to write.", RedisUnreachableError, true, false],
    ["OOM command not allowed when used memory > 'maxmemory'.", RedisUnreachableError, true, false],
    ["ERR max number of clients reached", RedisUnreachableError, true, false],
    ["MOVED 42 10.0.0.1:6379", RedisUnreachableError, true, true],
    ["CLUSTERDOWN The cluster is down", RedisUnreachableError, true, true],
    ["MASTERDOWN Link with MASTER is down", RedisUnreachableError, true, true],
    ["UNBLOCKED force unblock from blocking operation", RedisUnreachableError, true, true],
    ["READONLY You can't write against a read only replica.", RedisReplicaError, true, true],
    ["NOAUTH Authentication required.", RedisAuthError, false, false],
    ["WRONGPASS invalid username-password pair", RedisAuthError, false, false],
    ["NOPERM this user has no permissions to run the 'auth' command", RedisRefusedError, false, false],
    ["DENIED Redis is running in protected mode.", RedisRefusedError, false, false],
    ["ERR unknown command 'xadd'", RedisRefusedError, false, false],
  ])("%s", (message, type, retryable, wrongNode) => {
    const failure = explainFailure(reply(message), "cache:6379");
    expect(failure).toBeInstanceOf(type);
    expect([failure.retryable, isWrongNode(reply(message))]).toEqual([retryable, wrongNode]);
    expect(failure.message).toContain(`: ${message.replace(/\.$/, "")}.`);
  });

  it.each([
    ["OOM command not allowed", /maxmemory/],
    ["MISCONF Redis is configured to save RDB snapshots", /disk/],
    ["NOREPLICAS Not enough good replicas to write", /min-replicas-to-write/],
    ["READONLY You can't write against a read only replica", /Name the master/],
    ["WRONGTYPE Operation against a key holding the wrong kind of value", /rename or delete it/],
    ["NOPERM this user has no permissions", /ACL SETUSER/],
  ])("says what to do: %s", (message, remedy) => {
    expect(explainFailure(reply(message), "cache:6379").message).toMatch(remedy);
  });

  it("about the password names the variables that the programs read", () => {
    expect(explainFailure(reply("NOAUTH Authentication required."), "cache:6379").message).toBe(
      "Redis at cache:6379 refuses the user name or password: NOAUTH Authentication required. Give the right ones as " +
        "username and password (the programs read REDIS_USERNAME and REDIS_PASSWORD), or in the URL.",
    );
  });

  it.each([
    ["XADD", () => redis.xadd("text", "*", "data", "a"), ' XADD on "text": WRONGTYPE'],
    ["XINFO", () => redis.xinfo("STREAM", "text"), ' XINFO on "text": WRONGTYPE'],
    ["XREAD", () => redis.xread("COUNT", 1, "STREAMS", "text", "0"), ' XREAD on "text": WRONGTYPE'],
    ["a script", () => redis.eval("return redis.call('HGET', KEYS[1], 'a')", 1, "text"), ' EVAL on "text"'],
    [
      "a script without keys",
      () => redis.eval("return redis.call('HGET', 'text', 'a')", 0),
      " EVAL: WRONGTYPE",
    ],
    ["AUTH", () => redis.auth("ana", "secret"), ": WRONGPASS"],
    ["CONFIG", () => redis.config("SET", "port", "secret"), ": ERR"],
  ])("to %s names command and key, and no secret", async (_, send, words) => {
    const error: unknown = await send().then(
      () => undefined,
      (failure: unknown) => failure,
    );
    const { message } = explainFailure(error, server.url);
    expect(message).toContain(words);
    expect(message).not.toContain("secret");
  });
});

describe("anything else", () => {
  it.each([
    ["connect ECONNREFUSED", Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" })],
    ["the server closed the connection", new Error("Connection is closed.")],
    ["ECONNREFUSED", Object.assign(new AggregateError([]), { code: "ECONNREFUSED" })],
  ])("of a socket is a Redis that cannot be reached: %s", (words, error) => {
    expect(explainFailure(error, "cache:6379").message).toMatch(`No Redis at cache:6379: ${words}.`);
  });

  it.each([
    ["a defect", new TypeError("Cannot read properties of undefined")],
    ["Node's", Object.assign(new TypeError("must be a string"), { code: "ERR_INVALID_ARG_TYPE" })],
    ["the user's own", new Error("no such table")],
  ])("is left as it is: %s", (_, error) => {
    expect(() => explainFailure(error, "cache:6379")).toThrow(error);
  });
});

describe("a stream that is something else", () => {
  it("is named with the command, reading and writing", async () => {
    const named = /refuses X\w+ on "text": WRONGTYPE/;
    const source = new RedisStreamSource({ url: server.url }, { stream: "text" });
    await expect(source.buildPart("text", undefined, partContext())).rejects.toThrow(named);
    const sink = new RedisStreamSink({ url: server.url }, { stream: "text" });
    const part = await sink.buildPart("0", undefined, partContext());
    await expect(part.writeBatch(["a"])).rejects.toThrow(named);
    await part.close();
  });

  it("is named when it becomes something else while it is read", async () => {
    const source = new RedisStreamSource({ url: server.url }, { stream: "turncoat", blockMs: 100 });
    const partition = await source.buildPart("turncoat", undefined, partContext());
    const reading = partition.nextBatch();
    await redis.set("turncoat", "1");
    await expect(reading).rejects.toThrow(/refuses .* on "turncoat": WRONGTYPE/);
    await partition.close();
  });
});
