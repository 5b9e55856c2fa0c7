import { isIP } from "node:net";
import type { ConnectionOptions as TlsOptions } from "node:tls";
import { withDefaults } from "@millrace/dataflow/options";
import { RedisOptionsError } from "../errors.ts";
import { isPort, notAPort, parseHostAndPort, parseRedisUrl, parseSentinels } from "./redis-url.ts";
import type { HostAndPort, RedisUrl } from "./redis-url.ts";
import type { StartClock } from "./start-clock.ts";

/** Which Redis, and as whom. A field given beside `url` wins over the URL's; an empty string counts as not given. */
export interface RedisConnectionOptions {
  /**
   * `redis://user:password@host:port/db`, or `rediss://` for TLS; `unix:///path/redis.sock`; or
   * `redis+sentinel://host:port,host:port/master` (`rediss+sentinel://`), with user and password of the master.
   */
  readonly url?: string | undefined;
  /** @default "localhost" */
  readonly host?: string | undefined;
  /** @default 6379 */
  readonly port?: number | undefined;
  /** A Unix socket, instead of host and port. `@default none` */
  readonly path?: string | undefined;
  /**
   * Sentinels, as `host:port`, that know where the master {@link masterName} is, instead of host and port. They are
   * asked for each new connection, one after the other. `@default none`
   */
  readonly sentinels?: readonly string[] | undefined;
  /** The name under which the Sentinels know the master. */
  readonly masterName?: string | undefined;
  /** ACL user of the Sentinels themselves. `@default their default user` */
  readonly sentinelUsername?: string | undefined;
  /** Password of the Sentinels themselves. `@default none` */
  readonly sentinelPassword?: string | undefined;
  /** ACL user. `@default the server's default user` */
  readonly username?: string | undefined;
  /** @default none */
  readonly password?: string | undefined;
  /** Database number; Pub/Sub is the same in all of them. `@default 0` */
  readonly db?: number | undefined;
  /** `true`, or TLS settings such as `{ ca }`; for the Sentinels too. `@default on for rediss:// URLs` */
  readonly tls?: boolean | TlsOptions | undefined;
  /**
   * Addresses that the servers announce (nodes of a cluster, or a master), and where to reach each instead, such as
   * behind NAT: `{ "10.0.0.1:6379": "redis.example:7001" }`. `@default none`
   */
  readonly natMap?: Readonly<Record<string, string>> | undefined;
  /**
   * How long the first connection may take, retries included; each attempt to reconnect may take as long.
   * `@default 3_000`
   */
  readonly connectTimeoutMs?: number | undefined;
  /**
   * Shared by several options: all first connections made with them may take `connectTimeoutMs` together.
   * `@default each connection has its own clock`
   */
  readonly startClock?: StartClock | undefined;
}

/** Sentinels, and the name of the master to ask for. */
export interface SentinelTarget {
  readonly nodes: readonly HostAndPort[];
  readonly masterName: string;
  readonly username: string | undefined;
  readonly password: string | undefined;
}

/** Resolved options. */
export interface RedisTarget {
  /** With Sentinels: not known before they are asked. */
  readonly host: string;
  readonly port: number;
  /** Of a Unix socket; then host and port are unused. */
  readonly path: string | undefined;
  readonly sentinel: SentinelTarget | undefined;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly db: number;
  readonly tls: TlsOptions | undefined;
  readonly natMap: ReadonlyMap<string, HostAndPort> | undefined;
  readonly connectTimeoutMs: number;
  readonly startClock: StartClock | undefined;
  /** For messages: `host:port` or the like, and whether it is TLS. Never a user or a password. */
  readonly address: string;
}

const DEFAULT_HOST = "localhost";
const DEFAULT_PORT = 6_379;
const DEFAULT_CONNECT_TIMEOUT_MS = 3_000;

/** @throws RedisOptionsError that names the option; it never quotes a URL, which may hold a password */
export function resolveTarget(options: RedisConnectionOptions): RedisTarget {
  const text = given(options.url);
  const url = text === undefined ? undefined : parseRedisUrl(text);
  const db = options.db ?? url?.db ?? 0;
  if (!Number.isInteger(db) || db < 0) {
    throw new RedisOptionsError("The Redis database is not a number. Give 0, or leave it out.");
  }
  const place = placeOf(options, url);
  const host = place.host ?? DEFAULT_HOST;
  const port = place.port ?? DEFAULT_PORT;
  if (!isPort(port)) throw notAPort(port);
  const tls = resolveTls(options.tls ?? url?.tls ?? false, place.sentinel === undefined ? host : "");
  return {
    host,
    port,
    path: place.path,
    sentinel: place.sentinel,
    username: given(options.username) ?? url?.username,
    password: given(options.password) ?? url?.password,
    db,
    tls,
    natMap: options.natMap && resolveNatMap(options.natMap),
    connectTimeoutMs: options.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS,
    startClock: options.startClock,
    address: place.address ?? addressOf(host, port, tls),
  };
}

/** The same target with another node, at the address where that node is reached from here. */
export function nodeOf(target: RedisTarget, announced: HostAndPort): RedisTarget {
  const { host, port } = target.natMap?.get(hostPort(announced)) ?? announced;
  const tls = target.tls && { ...target.tls };
  // A certificate is issued for the node's own name. For an IP address the configured name stays.
  if (tls !== undefined && isIP(host) === 0 && (tls.servername ?? target.host) === target.host) {
    tls.servername = host;
  }
  return {
    ...target,
    host,
    port,
    path: undefined,
    sentinel: undefined,
    tls,
    address: addressOf(host, port, tls),
  };
}

/** `host:port`, and that it is TLS. */
function addressOf(host: string, port: number, tls: TlsOptions | undefined): string {
  return `${hostPort({ host, port })}${tls === undefined ? "" : " (TLS)"}`;
}

/**
 * An address fit for logs and error messages: `host:port`, the path of a socket, or the name of a master and its
 * Sentinels; without user and password.
 *
 * @throws RedisOptionsError as connecting would
 */
export function describeRedis(options: RedisConnectionOptions): string {
  return resolveTarget(options).address;
}

interface Place {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly path?: string | undefined;
  readonly sentinel?: SentinelTarget | undefined;
  readonly address?: string | undefined;
}

function placeOf(options: RedisConnectionOptions, url: RedisUrl | undefined): Place {
  const { port, sentinels = [] } = options;
  const [host, path, masterName] = [given(options.host), given(options.path), given(options.masterName)];
  const named = [host ?? port, path, sentinels[0]].filter((each) => each !== undefined);
  if (named.length > 1) {
    throw new RedisOptionsError("Redis is named twice: give host and port, or path, or sentinels.");
  }
  if (path !== undefined) return socketAt(path);
  if (sentinels.length > 0) {
    if (masterName === undefined) {
      throw new RedisOptionsError(
        "There are Sentinels, but no masterName: give the name under which they know the master.",
      );
    }
    return sentinelsAt(parseSentinels(sentinels), masterName, options, url?.tls ?? false);
  }
  const place = url?.place;
  if (place === undefined || place.kind === "server") {
    if (masterName !== undefined) {
      throw new RedisOptionsError(
        `There is a masterName (${masterName}), but no Sentinels: give them as sentinels, or in a redis+sentinel:// URL.`,
      );
    }
    return { host: host ?? place?.host, port: port ?? place?.port };
  }
  if (host !== undefined || port !== undefined) {
    throw new RedisOptionsError("Redis is named twice: the URL names no host and port, so leave these out.");
  }
  if (place.kind === "socket") return socketAt(place.path);
  return sentinelsAt(place.nodes, masterName ?? place.masterName, options, url?.tls ?? false);
}

function socketAt(path: string): Place {
  return { path, address: path };
}

function sentinelsAt(
  nodes: readonly HostAndPort[],
  masterName: string,
  { sentinelUsername, sentinelPassword, tls = false }: RedisConnectionOptions,
  tlsByUrl: boolean,
): Place {
  const secured = tls !== false || tlsByUrl ? " (TLS)" : "";
  return {
    sentinel: { nodes, masterName, username: given(sentinelUsername), password: given(sentinelPassword) },
    address: `the master ${masterName} of the Sentinels ${nodes.map(hostPort).join(", ")}${secured}`,
  };
}

function resolveNatMap(natMap: Readonly<Record<string, string>>): ReadonlyMap<string, HostAndPort> {
  return new Map(
    Object.entries(natMap).map(([from, to]) => [hostPort(parseHostAndPort(from)), parseHostAndPort(to)]),
  );
}

function hostPort({ host, port }: HostAndPort): string {
  return `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
}

// A server with many names chooses its certificate by this one; an IP address is not a name.
function resolveTls(tls: boolean | TlsOptions, host: string): TlsOptions | undefined {
  if (tls === false) return undefined;
  const name: TlsOptions = host !== "" && isIP(host) === 0 ? { servername: host } : {};
  return tls === true ? name : withDefaults(name, tls);
}

function given(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}
