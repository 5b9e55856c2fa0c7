import { describe, expect, it } from "@jest/globals";
import { describeRedis, nodeOf, resolveTarget } from "../../src/connection/connection-options.ts";
import { RedisOptionsError } from "../../src/errors.ts";

describe("resolveTarget", () => {
  it("is Redis on this machine by default", () => {
    expect(resolveTarget({})).toEqual({
      host: "localhost",
      port: 6379,
      username: undefined,
      password: undefined,
      db: 0,
      tls: undefined,
      connectTimeoutMs: 3000,
      address: "localhost:6379",
    });
  });

  it("takes user, password, host, port and database from a URL, percent-decoded", () => {
    expect(resolveTarget({ url: "redis://ana%40x:p%2Fw@cache.example:7000/2" })).toMatchObject({
      host: "cache.example",
      port: 7000,
      username: "ana@x",
      password: "p/w",
      db: 2,
      tls: undefined,
    });
  });

  it("lets a field win over the URL, unless it is empty", () => {
    const url = "redis://:from-url@one:7000";
    expect(resolveTarget({ url, host: "two", password: "own" })).toMatchObject({
      host: "two",
      port: 7000,
      password: "own",
    });
    expect(resolveTarget({ url, host: "", password: "" })).toMatchObject({
      host: "one",
      password: "from-url",
    });
  });

  it("turns TLS on for rediss, names the server unless it is an address, and keeps TLS settings", () => {
    expect(resolveTarget({ url: "rediss://cache.example" }).tls).toEqual({ servername: "cache.example" });
    expect(resolveTarget({ host: "cache.example", tls: { servername: undefined } }).tls).toEqual({
      servername: "cache.example",
    });
    expect(resolveTarget({ url: "rediss://10.0.0.1" }).tls).toEqual({});
    expect(resolveTarget({ host: "cache.example", tls: { ca: "pem" } }).tls).toEqual({
      servername: "cache.example",
      ca: "pem",
    });
    expect(resolveTarget({ url: "rediss://cache.example", tls: false }).tls).toBeUndefined();
  });

  it.each([
    ["a URL of another kind", { url: "http://:secret@cache" }],
    ["no URL at all", { url: "cache:secret" }],
    ["broken percent-encoding", { url: "redis://:secret%zz@cache" }],
    ["a port out of range", { port: 70_000 }],
    ["a port that is no number", { port: Number.NaN }],
    ["a database that is no number", { url: "redis://cache/secret" }],
  ])("refuses %s without quoting the URL", (_, options) => {
    expect(() => resolveTarget(options)).toThrow(RedisOptionsError);
    expect(() => resolveTarget(options)).not.toThrow(/secret/);
  });
});

describe("a URL", () => {
  it.each([
    ["unix:///run/redis/redis.sock?db=2", { path: "/run/redis/redis.sock", db: 2 }],
    [
      "redis+unix://ana:p%2Fw@/run/r.sock",
      { path: "/run/r.sock", username: "ana", password: "p/w", tls: undefined },
    ],
    ["redis://cache.example?db=2", { host: "cache.example", port: 6379, db: 2 }],
    ["redis://cache.example/2?db=2", { db: 2 }],
    ["redis://:a:b@[::1]:7001", { host: "::1", port: 7001, password: "a:b" }],
    ["REDISS://cache.example", { tls: { servername: "cache.example" } }],
  ])("%s", (url, expected) => {
    expect(resolveTarget({ url })).toMatchObject(expected);
  });

  it("names Sentinels, which have passwords of their own", () => {
    const url = "rediss+sentinel://ana:pw@s1:26380,s2/main/3";
    const target = resolveTarget({ url, sentinelUsername: "eve", sentinelPassword: "spw" });
    expect(target).toMatchObject({
      sentinel: {
        nodes: [
          { host: "s1", port: 26_380 },
          { host: "s2", port: 26_379 },
        ],
        masterName: "main",
        username: "eve",
        password: "spw",
      },
      username: "ana",
      password: "pw",
      db: 3,
      tls: {},
      address: "the master main of the Sentinels s1:26380, s2:26379 (TLS)",
    });
    expect(resolveTarget({ sentinels: ["s1:26380", "s2"], masterName: "main" }).sentinel?.nodes).toEqual(
      target.sentinel?.nodes,
    );
  });

  it.each([
    [{ url: "redis://:secret@cache?family=6" }, /query part "family"/],
    [{ url: "redis://:secret@cache/1?db=2" }, /two databases, 1 and 2/],
    [{ url: "redis://:se#cret@cache" }, /Percent-encode special characters/],
    [{ url: "redis://:secret@cache/1/2" }, /not a Redis URL/],
    [{ url: "unix://:secret@elsewhere/redis.sock" }, /not a Redis URL/],
    [{ url: "unix://" }, /names no socket/],
    [{ url: "redis+sentinel://:secret@s1,s2" }, /no master: give its name/],
    [{ url: "redis+sentinel://:secret@s1,,s2/main" }, /Sentinel without a host/],
    [{ sentinels: ["s1"] }, /no masterName/],
    [{ host: "cache", masterName: "main" }, /no Sentinels/],
    [{ path: "/r.sock", host: "cache" }, /named twice/],
    [{ url: "unix:///r.sock", port: 7000 }, /named twice/],
    [{ natMap: { "10.0.0.1": "cache:7000" } }, /"10.0.0.1" is not an address/],
  ])("%j is refused, without a secret", (options, message) => {
    expect(() => resolveTarget(options)).toThrow(RedisOptionsError);
    expect(() => resolveTarget(options)).toThrow(message);
    expect(() => resolveTarget(options)).not.toThrow(/secret|cret/);
  });
});

describe("nodeOf", () => {
  const target = resolveTarget({
    url: "rediss://:pw@cache.example:7000",
    natMap: { "10.0.0.1:6379": "nat.example:7001" },
  });

  it("reaches a node at the address in the map", () => {
    expect(nodeOf(target, { host: "10.0.0.1", port: 6379 })).toMatchObject({
      host: "nat.example",
      port: 7001,
      password: "pw",
      tls: { servername: "nat.example" },
      address: "nat.example:7001 (TLS)",
    });
  });

  it("keeps the configured name for the certificate of a node without a name, and a name that was given", () => {
    expect(nodeOf(target, { host: "10.0.0.2", port: 6379 })).toMatchObject({
      host: "10.0.0.2",
      tls: { servername: "cache.example" },
    });
    const named = resolveTarget({ host: "cache.example", tls: { servername: "all.example" } });
    expect(nodeOf(named, { host: "n2.example", port: 6379 }).tls).toEqual({ servername: "all.example" });
  });
});

describe("describeRedis", () => {
  it("has the address, and never the user or the password", () => {
    expect(describeRedis({ url: "redis://ana:secret@cache.example:7000/2" })).toBe("cache.example:7000");
    expect(describeRedis({ url: "rediss://:secret@cache.example" })).toBe("cache.example:6379 (TLS)");
    expect(describeRedis({ url: "redis://[::1]:7001" })).toBe("[::1]:7001");
    expect(describeRedis({ url: "unix:///run/redis.sock" })).toBe("/run/redis.sock");
  });
});
