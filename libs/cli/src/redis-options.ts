import type { RedisConnectionOptions } from "@millrace/redis-source";
import type { CommandLine, Value } from "./command-line.ts";
import { integer, positive, text } from "./parsers.ts";

/** Declares the options that name a Redis. The password has no flag: a command line is for everybody to see. */
export function redisOptions(cli: CommandLine): Value<RedisConnectionOptions> {
  const url = cli.option({
    flag: "--redis-url <url>",
    env: "REDIS_URL",
    description:
      "redis://host:port, or rediss:// for TLS; host, port, user and password below win over its parts",
    parse: redisUrl,
  });
  const host = cli.option({
    flag: "--redis-host <host>",
    env: "REDIS_HOST",
    description: "where Redis runs",
    parse: text,
    defaultText: "localhost",
  });
  const port = cli.option({
    flag: "--redis-port <port>",
    env: "REDIS_PORT",
    description: "its port",
    parse: integer(1, 65_535),
    defaultText: "6379",
  });
  const username = cli.option({
    flag: "--redis-username <name>",
    env: "REDIS_USERNAME",
    description: "ACL user",
    parse: text,
  });
  const password = cli.option({ env: "REDIS_PASSWORD", description: "password for Redis", parse: text });
  const timeout = cli.option(
    {
      flag: "--connect-timeout <seconds>",
      env: "MILLRACE_CONNECT_TIMEOUT",
      description: "how long to try for the first connection to Redis",
      parse: positive,
    },
    5,
  );
  return () => ({
    url: url(),
    host: host(),
    port: port(),
    username: username(),
    password: password(),
    connectTimeoutMs: timeout() * 1_000,
  });
}

/** Checks the form only, and never quotes what may hold a password. */
function redisUrl(given: string): string {
  const protocol = URL.canParse(given) ? new URL(given).protocol : undefined;
  if (protocol === "redis:" || protocol === "rediss:") return given;
  throw new RangeError("is not a Redis URL: give redis://user:password@host:port, or rediss:// for TLS");
}
