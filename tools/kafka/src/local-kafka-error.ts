/**
 * Errors of a local Kafka.
 *
 * - `KAFKA_JAVA_MISSING`: no Java that is new enough, or no Maven
 * - `KAFKA_JARS_MISSING`: Maven could not fetch the jars
 * - `KAFKA_PORT_TAKEN`: another process listens on the port
 * - `KAFKA_START_FAILED`: the broker ended or stayed silent while starting; the message ends with its log
 * - `KAFKA_PROGRAM_FAILED`: one of Kafka's console programs ended with an error; the message ends with its output
 */
export type LocalKafkaErrorCode =
  | "KAFKA_JAVA_MISSING"
  | "KAFKA_JARS_MISSING"
  | "KAFKA_PORT_TAKEN"
  | "KAFKA_START_FAILED"
  | "KAFKA_PROGRAM_FAILED";

/** Raised by everything in this package; branch on `code`. The message says what is wrong and what to do. */
export class LocalKafkaError extends Error {
  override readonly name: string = "LocalKafkaError";
  readonly code: LocalKafkaErrorCode;

  constructor(code: LocalKafkaErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
