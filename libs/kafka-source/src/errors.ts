import { MillraceError } from "@millrace/dataflow";

/** Base class of errors of Kafka connections, sources and sinks. No message, and no cause, holds a password. */
export abstract class KafkaError extends MillraceError {}

/** An option of a connection, source or sink is invalid. */
export class KafkaOptionsError extends KafkaError {
  static readonly code = "MILLRACE_KAFKA_OPTIONS_INVALID";
  readonly code: string = KafkaOptionsError.code;
}

/** The package of the Kafka client is not installed. */
export class KafkaClientMissingError extends KafkaError {
  static readonly code = "MILLRACE_KAFKA_CLIENT_MISSING";
  readonly code: string = KafkaClientMissingError.code;
}

/** No broker answers at the address, or it is not ready. */
export class KafkaUnreachableError extends KafkaError {
  static readonly code = "MILLRACE_KAFKA_UNREACHABLE";
  readonly code: string = KafkaUnreachableError.code;
  override readonly retryable = true;
  /** What was asked, and where, such as `a read of topic "clicks" at localhost:9092`; `undefined`: it is not known. */
  readonly request: string | undefined;

  constructor(message: string, { request, ...options }: ErrorOptions & { readonly request?: string } = {}) {
    super(message, options);
    this.request = request;
  }
}

/** The broker refuses the user name, the password or the mechanism. */
export class KafkaAuthError extends KafkaError {
  static readonly code = "MILLRACE_KAFKA_AUTH_FAILED";
  readonly code: string = KafkaAuthError.code;
}

/** The TLS handshake failed, or the certificate is not trusted. */
export class KafkaTlsError extends KafkaError {
  static readonly code = "MILLRACE_KAFKA_TLS_FAILED";
  readonly code: string = KafkaTlsError.code;
}

/** There is no such topic, or this user may not see it. */
export class KafkaTopicError extends KafkaError {
  static readonly code = "MILLRACE_KAFKA_TOPIC_MISSING";
  readonly code: string = KafkaTopicError.code;
}

/** The broker is not the right one now, such as after a change of leader: another one is, or it will be. */
export class KafkaNotReadyError extends KafkaError {
  static readonly code = "MILLRACE_KAFKA_NOT_READY";
  readonly code: string = KafkaNotReadyError.code;
  override readonly retryable = true;
}

/** The broker answered a request with an error. `kafkaCode` is its number in Kafka's protocol. */
export class KafkaRefusedError extends KafkaError {
  static readonly code = "MILLRACE_KAFKA_REFUSED";
  readonly code: string = KafkaRefusedError.code;
  readonly kafkaCode: number;

  constructor(message: string, kafkaCode: number) {
    super(message);
    this.kafkaCode = kafkaCode;
  }
}

/** A group of workers has members that share something else. */
export class KafkaGroupError extends KafkaError {
  static readonly code = "MILLRACE_KAFKA_GROUP_DIFFERS";
  readonly code: string = KafkaGroupError.code;
}

/** Records that cannot be read: damaged, or compressed in a way for which no package is installed. */
export class KafkaRecordsError extends KafkaError {
  static readonly code = "MILLRACE_KAFKA_RECORDS_UNREADABLE";
  readonly code: string = KafkaRecordsError.code;
}

/** A stored position does not belong to this source. */
export class KafkaPositionError extends KafkaError {
  static readonly code = "MILLRACE_KAFKA_POSITION_INVALID";
  readonly code: string = KafkaPositionError.code;
}

/** The connection was closed on purpose while a call waited for it. */
export class KafkaClosedError extends KafkaError {
  static readonly code = "MILLRACE_KAFKA_CLOSED";
  readonly code: string = KafkaClosedError.code;
}
