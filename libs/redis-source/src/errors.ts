import { MillraceError } from "@millrace/dataflow/options";

/** Base class of errors of Redis connections, sources and sinks. No message, and no cause, holds a password. */
export abstract class RedisError extends MillraceError {}

/** An option of a connection, source or sink is invalid. */
export class RedisOptionsError extends RedisError {
  static readonly code = "MILLRACE_REDIS_OPTIONS_INVALID";
  readonly code: string = RedisOptionsError.code;
}

/** No server answers at the address, or it is not ready. */
export class RedisUnreachableError extends RedisError {
  static readonly code = "MILLRACE_REDIS_UNREACHABLE";
  readonly code: string = RedisUnreachableError.code;
  override readonly retryable = true;
}

/** The server at the address does not speak Redis' protocol. */
export class RedisProtocolError extends RedisError {
  static readonly code = "MILLRACE_REDIS_PROTOCOL";
  readonly code: string = RedisProtocolError.code;
}

/** Redis refuses the user name or the password, or one is missing. */
export class RedisAuthError extends RedisError {
  static readonly code = "MILLRACE_REDIS_AUTH_FAILED";
  readonly code: string = RedisAuthError.code;
}

/** The TLS handshake failed, or the certificate is not trusted. */
export class RedisTlsError extends RedisError {
  static readonly code = "MILLRACE_REDIS_TLS_FAILED";
  readonly code: string = RedisTlsError.code;
}

/** The server is a replica, which accepts no writes and may not receive what is published elsewhere. */
export class RedisReplicaError extends RedisError {
  static readonly code = "MILLRACE_REDIS_REPLICA";
  readonly code: string = RedisReplicaError.code;
  // On a connection in use it means a failover; only a first connection fails because of it (see `openClient`).
  override readonly retryable = true;
}

/** The server is older than Millrace supports. */
export class RedisTooOldError extends RedisError {
  static readonly code = "MILLRACE_REDIS_TOO_OLD";
  readonly code: string = RedisTooOldError.code;
}

/** Redis answered a command with an error. */
export class RedisRefusedError extends RedisError {
  static readonly code = "MILLRACE_REDIS_REFUSED";
  readonly code: string = RedisRefusedError.code;
}

/** The connection was closed on purpose while a call waited for it. */
export class RedisClosedError extends RedisError {
  static readonly code = "MILLRACE_REDIS_CLOSED";
  readonly code: string = RedisClosedError.code;
}

/** The queue of a subscription is full, and its policy is `fail`. */
export class QueueOverflowError extends RedisError {
  static readonly code = "MILLRACE_REDIS_QUEUE_OVERFLOW";
  readonly code: string = QueueOverflowError.code;
}

/** This reader or publisher divides a name into other partitions than the publishers that are known. */
export class PartitionLayoutError extends RedisError {
  static readonly code = "MILLRACE_REDIS_LAYOUT_DIFFERS";
  readonly code: string = PartitionLayoutError.code;
}

/** A frame that no reader could decode as intended, such as one with a line that holds a line feed. */
export class FrameEncodeError extends RedisError {
  static readonly code = "MILLRACE_FRAME_ENCODE";
  readonly code: string = FrameEncodeError.code;
}

/** The name of a lasting producer is in use by another running publisher. */
export class ProducerNameError extends RedisError {
  static readonly code = "MILLRACE_REDIS_PRODUCER_TAKEN";
  readonly code: string = ProducerNameError.code;
}

/** A consumer group with the name that a source uses was not made by Millrace. */
export class RedisGroupError extends RedisError {
  static readonly code = "MILLRACE_REDIS_GROUP_TAKEN";
  readonly code: string = RedisGroupError.code;
}

/** A stored position does not belong to this source. */
export class RedisPositionError extends RedisError {
  static readonly code = "MILLRACE_REDIS_POSITION_INVALID";
  readonly code: string = RedisPositionError.code;
}

/** A stream has as many entries as its sink allows, and the policy is `fail`. */
export class StreamFullError extends RedisError {
  static readonly code = "MILLRACE_REDIS_STREAM_FULL";
  readonly code: string = StreamFullError.code;
}
