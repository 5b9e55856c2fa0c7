import { RedisOptionsError, describeRedis, parseRedisUrl } from "@millrace/redis-source/options";
import type { RedisConnectionOptions, RedisUrl } from "@millrace/redis-source";
import type { CommandLine, Value } from "./command-line.ts";
import { parseDuration } from "@millrace/windowing/options";
import { integer, listOf, text } from "./parsers.ts";
import { secretOption } from "./secret-option.ts";
import { UsageError } from "./errors.ts";

const FIVE_SECONDS_MS = 5_000;

/** An address in place of a port: Kubernetes sets `REDIS_PORT` to one for a service named redis. */
interface ServiceAddress {
  readonly host: string;
  readonly port: number;
}

/**
 * Declares the options that name a Redis. Passwords have no flag, since all users of a machine can see command lines.
 *
 * Flags take precedence over variables. Among variables `REDIS_URL` takes precedence over the others, which only add the
 * user and the password that it leaves out; `REDIS_SENTINELS` takes precedence over host and port.
 *
 * The value throws a UsageError for options that contradict each other.
 */
export function redisOptions(cli: CommandLine): Value<RedisConnectionOptions> {
  const byFlag = (...values: readonly Value<unknown>[]): boolean =>
    values.some((value) => cli.sourceOf(value) === "flag");
  const url: Value<GivenUrl | undefined> = cli.option({
    flag: "--redis-url <url>",
    env: "REDIS_URL",
    description:
      "redis://host:port, rediss:// for TLS, unix:///path, or redis+sentinel://host:port,host:port/master; " +
      "a password in this flag is visible in the list of processes (ps), one in REDIS_PASSWORD is not",
    parse: givenUrl,
    unless: () => byFlag(sentinels),
  });
  const sentinels: Value<readonly string[] | undefined> = cli.option({
    flag: "--redis-sentinels <addresses>",
    env: "REDIS_SENTINELS",
    description: "host:port of the Sentinels, separated by commas",
    parse: listOf(text),
    unless: () => url() !== undefined || byFlag(host, port),
  });
  const masterName = cli.option({
    flag: "--redis-master-name <name>",
    env: "REDIS_MASTER_NAME",
    description: "name of the master at the Sentinels",
    parse: text,
    unless: () => sentinels() === undefined,
  });
  const named = (): boolean => url() !== undefined || sentinels() !== undefined;
  const host: Value<string | undefined> = cli.option({
    flag: "--redis-host <host>",
    env: "REDIS_HOST",
    description: "host of Redis",
    parse: text,
    defaultText: "localhost",
    unless: named,
  });
  const port: Value<number | ServiceAddress | undefined> = cli.option({
    flag: "--redis-port <port>",
    env: "REDIS_PORT",
    description: "port of Redis",
    parse: (given) => portOrService(given, host(), cli),
    defaultText: "6379",
    unless: named,
  });
  const tls = cli.toggle({
    flag: "--redis-tls",
    env: "REDIS_TLS",
    description: "use TLS for Redis and for Sentinels, as rediss:// does",
  });
  const username = cli.option({
    flag: "--redis-username <name>",
    env: "REDIS_USERNAME",
    description: "ACL user",
    parse: text,
    unless: () => url()?.parts.username !== undefined,
  });
  const natMap = cli.option({
    flag: "--redis-nat-map <pairs>",
    env: "REDIS_NAT_MAP",
    description:
      "behind NAT: maps the addresses that the nodes of a cluster, or a master, announce to reachable ones, such as 10.0.0.1:6379=redis:7001,…",
    parse: listOf(addressPair),
  });
  const connectTimeoutMs = cli.option(
    {
      flag: "--connect-timeout <duration>",
      env: "MILLRACE_CONNECT_TIMEOUT",
      description: "how long the first connections to Redis may take, in total; and those to Kafka",
      parse: (given) => parseDuration(given),
      defaultText: "5s",
    },
    FIVE_SECONDS_MS,
  );
  const password = secretOption(
    cli,
    "REDIS_PASSWORD",
    "password for Redis",
    () => url()?.parts.password !== undefined,
  );
  const sentinelUsername = cli.option({
    env: "REDIS_SENTINEL_USERNAME",
    description: "ACL user of the Sentinels themselves",
    parse: text,
  });
  const sentinelPassword = secretOption(
    cli,
    "REDIS_SENTINEL_PASSWORD",
    "password for the Sentinels themselves",
  );
  return () => {
    if (byFlag(sentinels) && byFlag(url, host, port)) {
      throw new UsageError("--redis-sentinels: another flag names a Redis server too; leave one of them out");
    }
    if (byFlag(url) && byFlag(host, port)) {
      const [flag, part] = byFlag(host) ? ["--redis-host", "host"] : ["--redis-port", "port"];
      throw new UsageError(
        `${flag}: --redis-url names a Redis server too; give the ${part} in the URL, or leave it out`,
      );
    }
    if (sentinels() !== undefined && masterName() === undefined) {
      throw new UsageError(
        `${cli.givenAs(sentinels) ?? ""}: give the name under which they know the master with --redis-master-name (REDIS_MASTER_NAME)`,
      );
    }
    if (masterName() !== undefined && sentinels() === undefined && url()?.parts.place.kind !== "sentinels") {
      throw new UsageError(
        `${cli.givenAs(masterName) ?? ""}: it applies to Sentinels only; name them with --redis-sentinels, or in a redis+sentinel:// URL`,
      );
    }
    if (url()?.parts.place.kind === "socket")
      cli.withoutEffect(natMap, "a Unix socket connects to one server");
    // A host or port by flag replaces that part of a variable's URL, or the whole URL if it has no such part.
    const replaced =
      byFlag(host, port) && cli.sourceOf(url) === "variable" && url()?.parts.place.kind !== "server";
    return checked({
      url: replaced ? undefined : url()?.text,
      ...addressOf(host(), port()),
      sentinels: sentinels(),
      masterName: masterName(),
      tls: cli.sourceOf(tls) === undefined ? undefined : tls(),
      username: username(),
      password: password(),
      sentinelUsername: sentinelUsername(),
      sentinelPassword: sentinelPassword(),
      natMap: natMap() && Object.fromEntries(natMap() ?? []),
      connectTimeoutMs: connectTimeoutMs(),
    });
  };
}

/** Turns an error about contradicting options into a UsageError. */
function checked(options: RedisConnectionOptions): RedisConnectionOptions {
  try {
    describeRedis(options);
    return options;
  } catch (error) {
    if (error instanceof RedisOptionsError) throw new UsageError(error.message);
    throw error;
  }
}

function addressOf(
  host: string | undefined,
  port: number | ServiceAddress | undefined,
): Pick<RedisConnectionOptions, "host" | "port"> {
  return typeof port === "object" ? port : { host, port };
}

interface GivenUrl {
  readonly text: string;
  readonly parts: RedisUrl;
}

/** Messages never quote a URL, which may contain a password. */
function givenUrl(given: string): GivenUrl {
  const text = given.trim();
  try {
    return { text, parts: parseRedisUrl(text) };
  } catch (error) {
    if (!(error instanceof RedisOptionsError)) throw error;
    throw new RangeError(error.message.replace(/^The URL/, "the URL"), { cause: error });
  }
}

function portOrService(
  given: string,
  host: string | undefined,
  cli: CommandLine,
): number | ServiceAddress | undefined {
  const [, serviceHost, servicePort = ""] = /^tcp:\/\/(.+):(\d+)$/.exec(given) ?? [];
  const port = integer(1, 65_535);
  if (serviceHost === undefined) return port(given);
  const says = `REDIS_PORT is ${given}, as Kubernetes sets it for a service named redis`;
  if (host === undefined) {
    cli.note(`${says}: that address is used`);
    // An IPv6 address has brackets in a URL, but not as a host.
    return { host: serviceHost.replace(/^\[(.+)\]$/, "$1"), port: port(servicePort) };
  }
  cli.note(
    `${says}: it is ignored, since the host is named; give --redis-port or REDIS_URL for another port than 6379`,
  );
  return undefined;
}

function addressPair(given: string): readonly [theirs: string, ours: string] {
  const [theirs = "", ours = "", ...rest] = given.split("=");
  if (theirs !== "" && ours !== "" && rest.length === 0) return [theirs, ours];
  throw new RangeError(
    `${JSON.stringify(given)} is not a pair of addresses such as 10.0.0.1:6379=redis:7001`,
  );
}
