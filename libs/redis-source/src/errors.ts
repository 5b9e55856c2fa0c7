import { MillraceError } from "@millrace/dataflow";

/** Base of what goes wrong between Millrace and Redis. No message, and no cause, holds a password. */
export abstract class RedisError extends MillraceError {
  /** Whether the same attempt may succeed later without anybody changing a setting. */
  readonly retryable: boolean = false;
}

/** An option of a connection, source or sink that cannot be meant. */
export class RedisOptionsError extends RedisError {
  static readonly code = "MILLRACE_REDIS_OPTIONS_INVALID";
  readonly code: string = RedisOptionsError.code;
}

/** Nobody answers at the address, or what answers is not ready. */
export class RedisUnreachableError extends RedisError {
  static readonly code = "MILLRACE_REDIS_UNREACHABLE";
  readonly code: string = RedisUnreachableError.code;
  override readonly retryable = true;
}

/** What answers at the address does not speak Redis' protocol. */
export class RedisProtocolError extends RedisError {
  static readonly code = "MILLRACE_REDIS_PROTOCOL";
  readonly code: string = RedisProtocolError.code;
}

/** Redis wants a user name or a password that it did not get. */
export class RedisAuthError extends RedisError {
  static readonly code = "MILLRACE_REDIS_AUTH_FAILED";
  readonly code: string = RedisAuthError.code;
}

/** The two ends could not agree on an encrypted connection, or the certificate is not trusted. */
export class RedisTlsError extends RedisError {
  static readonly code = "MILLRACE_REDIS_TLS_FAILED";
  readonly code: string = RedisTlsError.code;
}

/** The server is a replica, which takes no writes and does not hear what is published on it elsewhere. */
export class RedisReplicaError extends RedisError {
  static readonly code = "MILLRACE_REDIS_REPLICA";
  readonly code: string = RedisReplicaError.code;
  // On a connection that is in use it is a failover; only the first connection fails for it (see `openClient`).
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

/** Somebody waited for a connection that was closed on purpose. */
export class RedisClosedError extends RedisError {
  static readonly code = "MILLRACE_REDIS_CLOSED";
  readonly code: string = RedisClosedError.code;
}

/** The queue behind a subscription is full, and its policy is `fail`. */
export class QueueOverflowError extends RedisError {
  static readonly code = "MILLRACE_REDIS_QUEUE_OVERFLOW";
  readonly code: string = QueueOverflowError.code;
}

/** Publishers and this reader or publisher divide the events of one name into different partitions. */
export class PartitionLayoutError extends RedisError {
  static readonly code = "MILLRACE_REDIS_LAYOUT_DIFFERS";
  readonly code: string = PartitionLayoutError.code;
}

/** A frame that no reader could take apart again as it was meant, such as one with a line that holds a line feed. */
export class FrameEncodeError extends RedisError {
  static readonly code = "MILLRACE_FRAME_ENCODE";
  readonly code: string = FrameEncodeError.code;
}

/** The name of a producer that lasts is another publisher's, which runs. */
export class ProducerNameError extends RedisError {
  static readonly code = "MILLRACE_REDIS_PRODUCER_TAKEN";
  readonly code: string = ProducerNameError.code;
}

/** A consumer group with the name that a source is to use was not made by Millrace. */
export class RedisGroupError extends RedisError {
  static readonly code = "MILLRACE_REDIS_GROUP_TAKEN";
  readonly code: string = RedisGroupError.code;
}

/** A stored position is none of this source's. */
export class RedisPositionError extends RedisError {
  static readonly code = "MILLRACE_REDIS_POSITION_INVALID";
  readonly code: string = RedisPositionError.code;
}

/** A stream has as many entries as its sink allows, and the policy is `fail`. */
export class StreamFullError extends RedisError {
  static readonly code = "MILLRACE_REDIS_STREAM_FULL";
  readonly code: string = StreamFullError.code;
}
