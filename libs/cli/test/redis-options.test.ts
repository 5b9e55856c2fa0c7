import { describe, expect, test } from "@jest/globals";
import { CommandLine, redisOptions } from "@millrace/cli";
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
      expect(() => settings([], { REDIS_URL: url })).toThrow(/^REDIS_URL: is not a Redis URL(?!.*hush)/);
    },
  );

  test.each(["0", "65536", "http", "-1"])("refuse %s as a port", (port) => {
    expect(() => settings([], { REDIS_PORT: port })).toThrow(
      /^REDIS_PORT: .* is not a whole number from 1 to 65535/,
    );
  });
});
