import { describe, expect, it } from "@jest/globals";
import { describeRedis, resolveTarget } from "../../src/connection/connection-options.ts";
import { RedisOptionsError } from "../../src/errors.ts";

describe("resolveTarget", () => {
  it("is Redis on this machine when nothing is said", () => {
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

describe("describeRedis", () => {
  it("tells where, and never who or with what password", () => {
    expect(describeRedis({ url: "redis://ana:secret@cache.example:7000/2" })).toBe("cache.example:7000");
    expect(describeRedis({ url: "rediss://:secret@cache.example" })).toBe("cache.example:6379 (TLS)");
    expect(describeRedis({ url: "redis://[::1]:7001" })).toBe("[::1]:7001");
  });
});
