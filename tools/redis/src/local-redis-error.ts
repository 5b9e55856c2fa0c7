/**
 * Errors of a local Redis.
 *
 * - `REDIS_SERVER_NOT_FOUND`: no server program on this machine
 * - `REDIS_SERVER_TOO_OLD`: the server program is older than Millrace supports
 * - `REDIS_SERVER_UNUSABLE`: the program does not print a version like a Redis or Valkey server
 * - `REDIS_PORT_TAKEN`: another process listens on the port
 * - `REDIS_START_FAILED`: the server ended or stayed silent while starting; the message ends with its log
 * - `REDIS_STOPPED`: a restart of a server that was stopped
 */
export type LocalRedisErrorCode =
  | "REDIS_SERVER_NOT_FOUND"
  | "REDIS_SERVER_TOO_OLD"
  | "REDIS_SERVER_UNUSABLE"
  | "REDIS_PORT_TAKEN"
  | "REDIS_START_FAILED"
  | "REDIS_STOPPED";

/** Raised by everything in this package; branch on `code`. The message says what is wrong and what to do. */
export class LocalRedisError extends Error {
  override readonly name: string = "LocalRedisError";
  readonly code: LocalRedisErrorCode;

  constructor(code: LocalRedisErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
