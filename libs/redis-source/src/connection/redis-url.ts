import { RedisOptionsError } from "../errors.ts";

/** A TCP address. */
export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** The parts of a Redis URL; a part that it leaves out is `undefined`. */
export interface RedisUrl {
  /** The address: a server, a Unix socket, or Sentinels that know the master of that name. */
  readonly place:
    | { readonly kind: "server"; readonly host: string | undefined; readonly port: number | undefined }
    | { readonly kind: "socket"; readonly path: string }
    | { readonly kind: "sentinels"; readonly nodes: readonly HostAndPort[]; readonly masterName: string };
  readonly tls: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly db: number | undefined;
}

const DEFAULT_SENTINEL_PORT = 26_379;

const FORM =
  /^(?:(rediss?)|(unix|redis\+unix|redis\+socket)|(rediss?)\+sentinel):\/\/([^/?#]*)(\/[^?#]*)?(?:\?([^#]*))?$/i;

/**
 * Reads `redis://user:password@host:port/db`, `rediss://…` for TLS, `unix:///path/redis.sock` and
 * `redis+sentinel://user:password@host:port,host:port/master/db`; each may name its database as `?db=2`.
 *
 * @throws RedisOptionsError whose message begins with "The URL"; it never quotes anything that may be a password
 */
export function parseRedisUrl(text: string): RedisUrl {
  const [, server, socket, sentinel, authority = "", path = "", query] = FORM.exec(text.trim()) ?? [];
  const scheme = (server ?? sentinel)?.toLowerCase();
  if (scheme === undefined && socket === undefined) throw notAUrl();
  const at = authority.lastIndexOf("@");
  const [user = "", ...secret] = at < 0 ? [] : authority.slice(0, at).split(":");
  const hosts = authority.slice(at + 1);
  const common = {
    tls: scheme === "rediss",
    username: decoded(user),
    password: decoded(secret.join(":")),
  };
  const asked = dbInQuery(query ?? "");
  if (socket !== undefined) {
    if (hosts !== "" && hosts !== "localhost") throw notAUrl();
    const file = decoded(path);
    if (file === undefined || file === "/") {
      throw new RedisOptionsError(
        "The URL names no socket: give its path, as in unix:///run/redis/redis.sock.",
      );
    }
    return { ...common, place: { kind: "socket", path: file }, db: asked };
  }
  if (sentinel === undefined) {
    const { host, port } = hostAndPort(hosts);
    return { ...common, place: { kind: "server", host, port }, db: oneDb(path.split("/").slice(1), asked) };
  }
  const [name = "", ...rest] = path.split("/").slice(1);
  const masterName = decoded(name);
  if (masterName === undefined) {
    throw new RedisOptionsError(
      "The URL names Sentinels, but no master: give its name after them, as in redis+sentinel://host:26379/mymaster.",
    );
  }
  const nodes = parseSentinels(hosts.split(","));
  return { ...common, place: { kind: "sentinels", nodes, masterName }, db: oneDb(rest, asked) };
}

/** Reads `host:port` of Sentinels; the port is 26379 unless given. @throws RedisOptionsError */
export function parseSentinels(texts: readonly string[]): readonly HostAndPort[] {
  return texts.map((text) => {
    const { host, port = DEFAULT_SENTINEL_PORT } = hostAndPort(text.trim());
    if (host !== undefined) return { host, port };
    throw new RedisOptionsError(
      "The URL or option names a Sentinel without a host: give host:port,host:port.",
    );
  });
}

/** Reads `host:port`. @throws RedisOptionsError */
export function parseHostAndPort(text: string): HostAndPort {
  const { host, port } = hostAndPort(text.trim());
  if (host !== undefined && port !== undefined) return { host, port };
  throw new RedisOptionsError(`${JSON.stringify(text)} is not an address: give host:port.`);
}

/** Whether a number is a TCP port. */
export function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65_535;
}

/** `host`, `host:port`, `[::1]:port`, `:port` or nothing. */
function hostAndPort(text: string): { host: string | undefined; port: number | undefined } {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]*)\]|([^:[\]\s,@%]*))(?::(\d*))?$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined) throw notAUrl();
  const port = digits === undefined || digits === "" ? undefined : Number(digits);
  if (port !== undefined && !isPort(port)) throw notAPort(port);
  return { host: host === "" ? undefined : host, port };
}

function dbInQuery(query: string): number | undefined {
  let db: number | undefined;
  for (const [name, value] of new URLSearchParams(query)) {
    if (name !== "db") {
      throw new RedisOptionsError(
        `The URL has the query part ${JSON.stringify(name)}, which has no meaning here: ?db=2 is the only one. Leave it out; ` +
          "TLS is rediss://, and other settings have options of their own.",
      );
    }
    db = parseDb(value);
  }
  return db;
}

/** The database, from the path or the query; both may give the same one. */
function oneDb(path: readonly string[], asked: number | undefined): number | undefined {
  const [text = "", ...rest] = path;
  const named = text === "" ? undefined : parseDb(text);
  if (rest.some((part) => part !== "")) throw notAUrl();
  if (named !== undefined && asked !== undefined && named !== asked) {
    throw new RedisOptionsError(`The URL names two databases, ${named} and ${asked}. Leave one out.`);
  }
  return named ?? asked;
}

function parseDb(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new RedisOptionsError("The URL's database is not a number. Give 0, or leave it out.");
}

export function notAPort(port: number): RedisOptionsError {
  return new RedisOptionsError(`Redis port ${port} is not a port. Give a whole number from 1 to 65535.`);
}

function notAUrl(): RedisOptionsError {
  return new RedisOptionsError(
    "The URL is not a Redis URL: give redis://user:password@host:port/db, rediss:// for TLS, unix:///path/redis.sock, or " +
      "redis+sentinel://host:port,host:port/master. Percent-encode special characters in user and password.",
  );
}

function decoded(text: string): string | undefined {
  if (text === "") return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    throw notAUrl();
  }
}
