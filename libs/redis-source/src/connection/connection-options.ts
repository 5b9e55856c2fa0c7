import { isIP } from "node:net";
import type { ConnectionOptions as TlsOptions } from "node:tls";
import { RedisOptionsError } from "../errors.ts";

/** Which Redis, and as whom. A field given beside `url` wins over the URL's; an empty string counts as not given. */
export interface RedisConnectionOptions {
  /** `redis://user:password@host:port/db`, or `rediss://` for TLS. */
  readonly url?: string | undefined;
  /** @default "localhost" */
  readonly host?: string | undefined;
  /** @default 6379 */
  readonly port?: number | undefined;
  /** ACL user. `@default the server's default user` */
  readonly username?: string | undefined;
  /** @default none */
  readonly password?: string | undefined;
  /** Database number; Pub/Sub is the same in all of them. `@default 0` */
  readonly db?: number | undefined;
  /** `true`, or TLS settings such as `{ ca }`. `@default on for rediss:// URLs` */
  readonly tls?: boolean | TlsOptions | undefined;
  /**
   * How long the first connection may take, retries included; each attempt to reconnect may take as long.
   * `@default 3_000`
   */
  readonly connectTimeoutMs?: number | undefined;
}

/** The same without choices left open. */
export interface RedisTarget {
  readonly host: string;
  readonly port: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly db: number;
  readonly tls: TlsOptions | undefined;
  readonly connectTimeoutMs: number;
  /** For people: `host:port`, and that it is TLS. Never a user or a password. */
  readonly address: string;
}

const DEFAULT_HOST = "localhost";
const DEFAULT_PORT = 6_379;
const DEFAULT_CONNECT_TIMEOUT_MS = 3_000;

/** @throws RedisOptionsError that names the option; it never quotes a URL, which may hold a password */
export function resolveTarget(options: RedisConnectionOptions): RedisTarget {
  const url = given(options.url) === undefined ? undefined : parseUrl(given(options.url) ?? "");
  const host = given(options.host) ?? given(url?.hostname.replace(/^\[(.*)\]$/, "$1")) ?? DEFAULT_HOST;
  const port = options.port ?? Number(given(url?.port) ?? DEFAULT_PORT);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new RedisOptionsError(`Redis port ${port} is not a port. Give a whole number from 1 to 65535.`);
  }
  const db = options.db ?? Number(given(url?.pathname.replace(/^\/|\/$/g, "")) ?? 0);
  if (!Number.isInteger(db) || db < 0) {
    throw new RedisOptionsError("The Redis database is not a number. Give 0, or leave it out.");
  }
  const tls = resolveTls(options.tls ?? url?.protocol === "rediss:", host);
  return {
    host,
    port,
    username: given(options.username) ?? decode(url?.username),
    password: given(options.password) ?? decode(url?.password),
    db,
    tls,
    connectTimeoutMs: options.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS,
    address: addressOf(host, port, tls),
  };
}

/** `host:port`, and that it is TLS. */
export function addressOf(host: string, port: number, tls: TlsOptions | undefined): string {
  return `${isIP(host) === 6 ? `[${host}]` : host}:${port}${tls === undefined ? "" : " (TLS)"}`;
}

/**
 * An address fit for logs and error messages: `host:port`, without user and password.
 *
 * @throws RedisOptionsError as connecting would
 */
export function describeRedis(options: RedisConnectionOptions): string {
  return resolveTarget(options).address;
}

function parseUrl(text: string): URL {
  if (!URL.canParse(text)) throw badUrl();
  const url = new URL(text);
  if (url.protocol !== "redis:" && url.protocol !== "rediss:") throw badUrl();
  return url;
}

function badUrl(): RedisOptionsError {
  return new RedisOptionsError(
    "The Redis URL is not one. It has the form redis://user:password@host:port/db, or rediss:// for TLS; " +
      "special characters in user and password are percent-encoded.",
  );
}

// Servers that host many names choose their certificate by this one; an IP address is not a name.
function resolveTls(tls: boolean | TlsOptions, host: string): TlsOptions | undefined {
  if (tls === false) return undefined;
  return { ...(isIP(host) === 0 ? { servername: host } : {}), ...(tls === true ? {} : tls) };
}

function given(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}

function decode(text: string | undefined): string | undefined {
  if (text === undefined || text === "") return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    throw badUrl();
  }
}
