import { afterAll, describe, expect, jest, test } from "@jest/globals";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CommandLine, UsageError, redisOptions } from "@millrace/cli";
import { describeRedis } from "@millrace/redis-source";
import type { RedisConnectionOptions } from "@millrace/redis-source";

function settings(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): RedisConnectionOptions {
  const cli = new CommandLine("test", "Tests.");
  const redis = redisOptions(cli);
  cli.parse(args, env);
  return redis();
}

/** The address that the options lead to, and the warnings about them. */
function place(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): { readonly at: string; readonly notes: readonly string[] } {
  const cli = new CommandLine("test", "Tests.");
  const redis = redisOptions(cli);
  cli.parse(args, env);
  return { at: describeRedis(redis()), notes: cli.notes };
}

describe("redisOptions", () => {
  test("leave the choice of server to its defaults", () => {
    expect(settings([])).toEqual({ connectTimeoutMs: 5_000 });
  });

  test("read the well-known variables", () => {
    const env = {
      REDIS_HOST: "redis",
      REDIS_PORT: "6380",
      REDIS_USERNAME: "ann",
      REDIS_PASSWORD: "secret",
    };
    expect(settings([], env)).toEqual({
      host: "redis",
      port: 6_380,
      username: "ann",
      password: "secret",
      connectTimeoutMs: 5_000,
    });
  });

  test("take URLs, with TLS too", () => {
    const { url } = settings(["--redis-url", "rediss://localhost:7000"], {
      REDIS_URL: "redis://other",
    });
    expect(url).toBe("rediss://localhost:7000");
  });

  test("have no flag for the password", () => {
    expect(() => settings(["--redis-password=secret"])).toThrow("unknown option");
  });

  test.each(["http://host/hush", "host:6379?hush", "hush"])(
    "refuse %s as a URL without quoting it",
    (url) => {
      expect(() => settings([], { REDIS_URL: url })).toThrow(
        /^REDIS_URL: the URL is not a Redis URL(?!.*hush)/,
      );
    },
  );

  test.each(["0", "65536", "http", "-1"])("refuse %s as a port", (port) => {
    expect(() => settings([], { REDIS_PORT: port })).toThrow(
      /^REDIS_PORT: .* is not a whole number from 1 to 65535/,
    );
  });
});

describe("precedence of the options that name a Redis", () => {
  test.each([
    ["a URL by flag", ["--redis-url=redis://a:1"], { REDIS_HOST: "b", REDIS_PORT: "2" }, "a:1"],
    [
      "a URL without a port by flag",
      ["--redis-url=redis://a"],
      { REDIS_HOST: "b", REDIS_PORT: "2" },
      "a:6379",
    ],
    ["a URL by flag", ["--redis-url=redis://a:1"], { REDIS_URL: "redis://b:2" }, "a:1"],
    ["a URL by flag", ["--redis-url=redis://a:1"], { REDIS_PORT: "no port at all" }, "a:1"],
    ["a URL by flag", ["--redis-url=redis://a:1"], { REDIS_SENTINELS: "s", REDIS_MASTER_NAME: "m" }, "a:1"],
    ["the variable of a URL", [], { REDIS_URL: "redis://a:1", REDIS_HOST: "b", REDIS_PORT: "2" }, "a:1"],
    ["host and port by flag", ["--redis-host=a", "--redis-port=1"], { REDIS_URL: "redis://b:2/3" }, "a:1"],
    ["a host by flag", ["--redis-host=a"], { REDIS_URL: "unix:///b.sock" }, "a:6379"],
    ["a host by flag", ["--redis-host=a"], { REDIS_SENTINELS: "s", REDIS_MASTER_NAME: "m" }, "a:6379"],
    ["a socket", ["--redis-url=unix:///run/r.sock"], { REDIS_HOST: "b", REDIS_PORT: "2" }, "/run/r.sock"],
    [
      "Sentinels by flag",
      ["--redis-sentinels=s1:1,s2", "--redis-master-name=m"],
      { REDIS_URL: "redis://b:2" },
      "the master m of the Sentinels s1:1, s2:26379",
    ],
    [
      "Sentinels by variable",
      ["--redis-tls"],
      { REDIS_SENTINELS: "s1:1", REDIS_MASTER_NAME: "m", REDIS_HOST: "b" },
      "the master m of the Sentinels s1:1 (TLS)",
    ],
    [
      "Sentinels in a URL",
      ["--redis-url=redis+sentinel://s1:1,s2:2/m?db=3"],
      { REDIS_HOST: "b" },
      "the master m of the Sentinels s1:1, s2:2",
    ],
  ])("%s: %j over %j", (_, args, env, at) => {
    expect(place(args, env)).toEqual({ at, notes: [] });
  });

  test("an address that Kubernetes sets as the port is used, and the log says so", () => {
    const env = { REDIS_PORT: "tcp://10.96.0.11:6380" };
    expect(place([], env)).toEqual({
      at: "10.96.0.11:6380",
      notes: [
        "REDIS_PORT is tcp://10.96.0.11:6380, as Kubernetes sets it for a service named redis: that address is used",
      ],
    });
    expect(place(["--redis-url=redis://a:1"], env)).toEqual({ at: "a:1", notes: [] });
    expect(place([], { ...env, REDIS_HOST: "a" })).toEqual({
      at: "a:6379",
      notes: [
        expect.stringMatching("it is ignored, since the host is named; give --redis-port or REDIS_URL"),
      ],
    });
  });

  test("the host from an IPv6 address that Kubernetes sets as the port has no brackets", () => {
    expect(settings([], { REDIS_PORT: "tcp://[::1]:7411" })).toMatchObject({ host: "::1", port: 7_411 });
    expect(place([], { REDIS_PORT: "tcp://[::1]:7411" })).toMatchObject({ at: "[::1]:7411" });
  });

  test("a map of addresses for a Unix socket is a warning if it comes from a variable", () => {
    const env = { REDIS_URL: "unix:///r.sock", REDIS_NAT_MAP: "10.0.0.1:1=redis:1" };
    expect(place([], env).notes).toEqual([
      "REDIS_NAT_MAP has no effect: a Unix socket connects to one server",
    ]);
  });

  test.each([
    [
      ["--redis-url=redis://a:1", "--redis-port=7412"],
      {},
      "--redis-port: --redis-url names a Redis server too; give the port in the URL",
    ],
    [["--redis-url=redis://a:1", "--redis-host=b"], {}, "--redis-host: --redis-url names a Redis server too"],
    [
      ["--redis-url=unix:///r.sock", "--redis-nat-map=10.0.0.1:1=redis:1"],
      {},
      "--redis-nat-map has no effect: a Unix socket connects to one server; leave it out",
    ],
    [[], { REDIS_SENTINELS: "s1" }, "REDIS_SENTINELS: give the name under which they know the master"],
    [
      ["--redis-sentinels=s1", "--redis-url=redis://a"],
      {},
      "--redis-sentinels: another flag names a Redis server too",
    ],
    [
      ["--redis-sentinels=s1"],
      {},
      "--redis-sentinels: give the name under which they know the master with --redis-master-name",
    ],
    [
      ["--redis-master-name=m"],
      {},
      "--redis-master-name: it applies to Sentinels only; name them with --redis-sentinels",
    ],
    [["--redis-url=redis://a?tls=true"], {}, '--redis-url: the URL has the query part "tls"'],
    [[], { REDIS_URL: "redis+sentinel://s1:1" }, "REDIS_URL: the URL names Sentinels, but no master"],
    [["--redis-nat-map=10.0.0.1:6379"], {}, "is not a pair of addresses"],
    [["--redis-nat-map=10.0.0.1=redis:7001"], {}, '"10.0.0.1" is not an address'],
    [["--connect-timeout=soon"], {}, '--connect-timeout: "soon" is not a duration'],
  ])("%j and %j are refused: %s", (args, env, message) => {
    expect(() => place(args, env)).toThrow(UsageError);
    expect(() => place(args, env)).toThrow(message);
  });

  test("a map of addresses and a time to connect", () => {
    const args = [
      "--redis-nat-map=10.0.0.1:6379=redis:7001, 10.0.0.2:6379=redis:7002",
      "--connect-timeout=2010ms",
    ];
    expect(settings(args)).toMatchObject({
      natMap: { "10.0.0.1:6379": "redis:7001", "10.0.0.2:6379": "redis:7002" },
      connectTimeoutMs: 2_010,
    });
  });
});

describe("secrets", () => {
  const folder = mkdtempSync(join(tmpdir(), "millrace-secret-"));
  const file = join(folder, "password");
  writeFileSync(file, "hush\n");

  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  function given(
    env: Readonly<Record<string, string>>,
    args: readonly string[] = [],
  ): RedisConnectionOptions & {
    readonly notes: readonly string[];
  } {
    const cli = new CommandLine("test", "Tests.");
    const redis = redisOptions(cli);
    cli.parse(args, env);
    return { ...redis(), notes: cli.notes };
  }

  test("may be in files, and a line break at their end is removed and logged", () => {
    const trimmed = "ends with a line break, which is removed";
    expect(given({ REDIS_PASSWORD_FILE: file, REDIS_SENTINEL_PASSWORD: "spw\r\n" })).toMatchObject({
      password: "hush",
      sentinelPassword: "spw",
      notes: [`REDIS_PASSWORD_FILE ${trimmed}`, `REDIS_SENTINEL_PASSWORD ${trimmed}`],
    });
    expect(given({ REDIS_PASSWORD: " a b " })).toMatchObject({ password: " a b ", notes: [] });
  });

  test("in a URL take precedence over variables, which add what it leaves out", () => {
    const env = { REDIS_USERNAME: "ann", REDIS_PASSWORD: "other" };
    expect(given(env, ["--redis-url=redis://eve:pw@a"])).toMatchObject({
      username: undefined,
      password: undefined,
    });
    expect(given(env, ["--redis-url=redis://a"])).toMatchObject({ username: "ann", password: "other" });
  });

  test.each([
    [
      { REDIS_PASSWORD: "hush", REDIS_PASSWORD_FILE: file },
      "REDIS_PASSWORD_FILE: REDIS_PASSWORD is given too",
    ],
    [{ REDIS_PASSWORD_FILE: `${file}.gone` }, `REDIS_PASSWORD_FILE: ${file}.gone cannot be read`],
    [{ REDIS_PASSWORD: "\n" }, "REDIS_PASSWORD: is empty"],
  ])("%j are refused without being quoted", (env, message) => {
    expect(() => given(env)).toThrow(message);
    expect(() => given(env)).not.toThrow(/hush/);
  });

  test("the help says where a password is visible", () => {
    const write = jest.spyOn(process.stdout, "write").mockReturnValue(true);
    try {
      expect(() => given({}, ["--help"])).toThrow("the help was shown");
      const help = write.mock.calls.map(([chunk]) => String(chunk)).join("");
      expect(help.replace(/\s+/g, " ")).toContain(
        "a password in this flag is visible in the list of processes (ps)",
      );
      expect(help).toContain("REDIS_PASSWORD_FILE");
    } finally {
      write.mockRestore();
    }
  });
});
