import {
  RedisAuthError,
  RedisError,
  RedisProtocolError,
  RedisRefusedError,
  RedisReplicaError,
  RedisTlsError,
  RedisUnreachableError,
} from "../errors.ts";
import { keyOfCommand } from "./key-of-command.ts";

/** What an error reply means for the sender of the command. */
export type ReplyKind =
  /** A condition that ends by itself: the same command may succeed later, here. */
  | "not-ready"
  /** The same for commands that write; others succeed. */
  | "no-writes"
  /** The slot is moving to another node of a cluster: the same command may succeed later, here. */
  | "slot-moving"
  /** The key is on another node of a cluster: a new connection finds it. */
  | "moved"
  /** A replica was asked to write: a new connection may find the master. */
  | "replica"
  /** As `not-ready`, but a new connection may find another node, or this one in another role. */
  | "wrong-node"
  /** The user or the password is wrong. */
  | "auth"
  /** The user lacks a permission. */
  | "forbidden"
  /** This server does not have the command, or not by this name. */
  | "unknown"
  /** Redis accepts no more connections. */
  | "full"
  /** The key holds what another program wrote. */
  | "occupied"
  /** Anything else: a retry would be refused again. */
  | "refused";

/** The table of error replies; the first row that matches counts. */
const REPLIES: readonly (readonly [pattern: RegExp, kind: ReplyKind])[] = [
  [/max number of clients/, "full"],
  [/^MOVED\b/, "moved"],
  [/^READONLY\b/, "replica"],
  [/^(MASTERDOWN|CLUSTERDOWN|UNBLOCKED)\b/, "wrong-node"],
  [/^(TRYAGAIN|ASK)\b/, "slot-moving"],
  [/^(NOREPLICAS|MISCONF|OOM)\b/, "no-writes"],
  [/^(LOADING|BUSY)\b/, "not-ready"],
  // A script can be killed only before it writes anything.
  [/\bScript killed by user\b/, "not-ready"],
  // The second is the wording of scripts.
  [/\bNOPERM\b|\bThe user executing the script\b/, "forbidden"],
  [/\bWRONGTYPE\b/, "occupied"],
  [/^ERR unknown command\b/, "unknown"],
  [/^(WRONGPASS|NOAUTH)\b|\bAUTH\b|invalid password/, "auth"],
];

/** What to do about conditions that do not end by themselves, by the first word of the reply. */
const REMEDIES: Readonly<Record<string, string>> = {
  OOM: " Raise its maxmemory, or let data go.",
  MISCONF: " It cannot save to its disk: see its log, and whether the disk is full.",
  NOREPLICAS: " Bring its replicas back, or lower min-replicas-to-write.",
};

const TLS_CODES = /^(ERR_(TLS|SSL)_|CERT_|EPROTO|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/;
/** Codes of Node's sockets; an error of a program has none, or one that begins with `ERR_INVALID`. */
const SOCKET_CODES = /^(E[A-Z]+|ERR_SOCKET_\w+|ERR_STREAM_\w+)$/;
/** What the client library says of a command whose socket is closed. */
const CLOSED = /^(Connection is closed\.|Command aborted due to connection close|Stream isn't writeable)/;

/** The part of the message about connections, for a caller that does not know how many its flow needs. */
const HOW_MANY =
  "each channel or stream that is read or written holds one connection; a source of streams has one more for commands, and a " +
  "store one (on a cluster each has as many as there are partitions)";

/** What the caller knows about a command that failed. */
export interface FailureContext {
  /** The key that commands are about. */
  readonly key?: string;
  /** See `ConnectSettings`. */
  readonly needs?: string | undefined;
}

/** What the caller knows about the command that an error reply answers. */
export interface ReplyContext {
  /** The command and its key, after a space. */
  readonly command?: string;
  /** See `ConnectSettings`. */
  readonly needs?: string | undefined;
}

/**
 * Turns an error of the client library, a socket or the server into one of Millrace.
 *
 * An error reply is quoted, with the command and its key if a command was refused. It is never kept as cause: the client
 * library attaches the command to it, and the arguments of AUTH are a password.
 *
 * @param context the key that the commands are about, for a reply that does not carry its command, and `needs`
 * @throws the error itself if it comes from none of them: a defect is not an outage
 */
export function explainFailure(
  error: unknown,
  address: string,
  { key, needs }: FailureContext = {},
): RedisError {
  if (error instanceof RedisError) return error;
  const { name, code, message } = fieldsOf(error);
  if (name === "ReplyError") {
    const about = key === undefined ? "" : ` a command on ${JSON.stringify(key)}`;
    return explainReply(message, address, { command: keyOfCommand(error) || about, needs });
  }
  if (name === "ParserError") {
    return new RedisProtocolError(
      `What listens on ${address} does not speak Redis' protocol. Check the host and the port; ` +
        "a server that wants TLS needs a rediss:// URL.",
    );
  }
  if (TLS_CODES.test(code)) {
    return new RedisTlsError(
      `No TLS connection to Redis at ${address}: ${message || code}. Check that the server speaks TLS on this ` +
        "port (redis:// is without) and that its certificate is trusted (tls.ca, or NODE_EXTRA_CA_CERTS).",
      { cause: error },
    );
  }
  if (!isClosedSocket(error)) throw error;
  // A socket error has a code. An error without a code means that a server accepted the connection and closed it.
  const hint = code === "" ? "; a server that wants TLS needs a rediss:// URL" : "";
  return new RedisUnreachableError(
    `No Redis at ${address}: ${causeOf(error)}. Start one there, or name another by its URL, or its host and port${hint}.`,
    { cause: error },
  );
}

/** The same for an error reply by its text, without the leading `-`. */
export function explainReply(
  reply: string,
  address: string,
  { command = "", needs = HOW_MANY }: ReplyContext = {},
): RedisError {
  const said = withoutStop(reply);
  switch (kindOf(reply)) {
    case "full":
      return new RedisUnreachableError(
        `Redis at ${address} accepts no more connections: ${said}. Raise its maxclients (or the limit of open files), ` +
          `or run fewer partitions in this process: ${needs}.`,
      );
    case "replica":
      return replicaError(address, said);
    case "moved":
    case "wrong-node":
    case "slot-moving":
    case "not-ready":
    case "no-writes": {
      const [kind = ""] = reply.split(" ", 1);
      return new RedisUnreachableError(`Redis at ${address} is not ready: ${said}.${REMEDIES[kind] ?? ""}`);
    }
    case "occupied":
      return new RedisRefusedError(
        `Redis at ${address} refuses${command}: ${said}. Another program wrote that key: rename or delete it, or choose ` +
          "another name here.",
      );
    case "auth":
      return new RedisAuthError(
        `Redis at ${address} refuses the user name or password: ${said}. Give the right ones as username and password ` +
          "(the programs read REDIS_USERNAME and REDIS_PASSWORD), or in the URL.",
      );
    case "forbidden":
      return new RedisRefusedError(
        `Redis at ${address} refuses${command}: ${said}. Give the user that permission with ACL SETUSER.`,
      );
    case "unknown":
    case "refused":
      return new RedisRefusedError(`Redis at ${address} refuses${command}: ${said}.`);
  }
}

/** The error for a server that is a replica. @param said the server's reply, if there is one */
export function replicaError(address: string, said?: string): RedisReplicaError {
  return new RedisReplicaError(
    `Redis at ${address} is a replica${said === undefined ? "" : `: ${said}`}. Name the master instead, or Sentinels and ` +
      "the name of their master, which lead to it after each failover.",
  );
}

/** Whether an error reply says that a new connection is needed before the command is sent again. */
export function isWrongNode(error: unknown): boolean {
  const kind = replyKind(error);
  return kind === "moved" || kind === "replica" || kind === "wrong-node";
}

/** What an error reply means; `undefined` for an error that is not a reply. */
export function replyKind(error: unknown): ReplyKind | undefined {
  const { name, message } = fieldsOf(error);
  return name === "ReplyError" ? kindOf(message) : undefined;
}

/** Whether an error is a server's reply: the server can be asked again over the same connection. */
export function isReply(error: unknown): error is Error {
  return fieldsOf(error).name === "ReplyError";
}

/** Whether an error only says that the socket is closed, or could not be opened. */
export function isClosedSocket(error: unknown): boolean {
  const { code, message } = fieldsOf(error);
  return SOCKET_CODES.test(code) || CLOSED.test(message);
}

/** Why a connection ended, in a few words. */
export function causeOf(error: unknown): string {
  const { code, message } = fieldsOf(error);
  if (message === "" || CLOSED.test(message)) return code || "the server closed the connection";
  return code === "" || message.includes(code) || error instanceof RedisError
    ? withoutStop(message)
    : `${code}, ${message}`;
}

function kindOf(reply: string): ReplyKind {
  return REPLIES.find(([pattern]) => pattern.test(reply))?.[1] ?? "refused";
}

function withoutStop(sentence: string): string {
  return sentence.replace(/\.$/, "");
}

interface ErrorFields {
  readonly name: string;
  readonly code: string;
  readonly message: string;
}

// Not `instanceof Error`: the errors of Node's own modules may come from another realm.
function fieldsOf(error: unknown): ErrorFields {
  const field = (name: string): string => {
    const value: unknown = typeof error === "object" && error !== null ? Reflect.get(error, name) : undefined;
    return typeof value === "string" ? value : "";
  };
  return { name: field("name"), code: field("code"), message: field("message") };
}

/**
 * How many connections a flow with a source takes in one process, as a clause for the message when Redis accepts no
 * more. Each stream partition has one for its blocking reads. All commands share another; on a cluster each stream has
 * its own.
 *
 * @param what each partition is
 */
export function readingNeeds(what: "stream" | "channel", partitions: number, cluster: boolean): string {
  const commands = cluster ? partitions : 1;
  const count = what === "channel" ? partitions : partitions + commands;
  return (
    `reading ${partitions} ${plural(what, partitions)} takes ${count} ${plural("connection", count)}; a store in the same ` +
    `Redis takes ${cluster ? partitions : 1} more, and a sink that publishes 1 for each of its channels or streams`
  );
}

/**
 * The same for a program that only publishes.
 *
 * @param lasting each channel or stream has another connection, for its producer's numbers
 */
export function writingNeeds(partitions: number, lasting: boolean): string {
  const count = lasting ? 2 * partitions : partitions;
  return `writing ${partitions} ${plural("channel or stream", partitions)} takes ${count} ${plural("connection", count)}, and one more for short looks`;
}

function plural(word: string, count: number): string {
  return count === 1
    ? word
    : word
        .split(" or ")
        .map((name) => `${name}s`)
        .join(" or ");
}
