import {
  RedisAuthError,
  RedisError,
  RedisProtocolError,
  RedisRefusedError,
  RedisTlsError,
  RedisUnreachableError,
} from "../errors.ts";

const TLS_CODES = /^(ERR_(TLS|SSL)_|CERT_|EPROTO|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/;
/** Starting, failing over, moving a slot, out of memory or disk: conditions that end. */
const NOT_READY_REPLIES =
  /^(LOADING|BUSY|CLUSTERDOWN|MASTERDOWN|TRYAGAIN|MOVED|ASK|UNBLOCKED|READONLY|NOREPLICAS|MISCONF|OOM)\b|max number of clients/;
const AUTH_REPLIES = /^(WRONGPASS|NOAUTH)\b|\bAUTH\b|invalid password/;

/**
 * Says in Millrace's words what a client library, a socket or the server said in theirs.
 *
 * Error replies are quoted but never kept as cause: the client library attaches the command, and the arguments
 * of AUTH are a password.
 */
export function explainFailure(error: unknown, address: string): RedisError {
  if (error instanceof RedisError) return error;
  const { name, code, message } = fieldsOf(error);
  if (name === "ReplyError") return explainReply(message, address);
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
  // A socket error has a code; without one, somebody was there and hung up.
  const hint = code === "" ? "; a server that wants TLS needs a rediss:// URL" : "";
  return new RedisUnreachableError(
    `No Redis at ${address}: ${causeOf(error)}. Start one there, or name another by its URL, or its host and port${hint}.`,
    { cause: error },
  );
}

/** Why a connection ended, in a few words. */
export function causeOf(error: unknown): string {
  const { code, message } = fieldsOf(error);
  if (code === "" || message === "") return code || "the server closed the connection";
  return message.includes(code) ? message : `${code}, ${message}`;
}

function explainReply(reply: string, address: string): RedisError {
  if (NOT_READY_REPLIES.test(reply)) {
    return new RedisUnreachableError(`Redis at ${address} is not ready: ${reply}.`);
  }
  if (AUTH_REPLIES.test(reply)) {
    return new RedisAuthError(
      `Redis at ${address} refuses the user name or password: ${reply}. Give the right ones in the URL, ` +
        "or as username and password.",
    );
  }
  const remedy = reply.startsWith("NOPERM") ? " Give the user that permission with ACL SETUSER." : "";
  return new RedisRefusedError(`Redis at ${address} refuses: ${reply}.${remedy}`);
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
