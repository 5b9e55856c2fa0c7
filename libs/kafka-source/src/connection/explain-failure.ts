import {
  KafkaAuthError,
  KafkaError,
  KafkaRefusedError,
  KafkaTlsError,
  KafkaUnreachableError,
} from "../errors.ts";
import type { KafkaTarget } from "./connection-options.ts";

/** The client's error as one of ours. @param request what was asked, and where */
export function explained(error: unknown, request: string, { tls, sasl }: KafkaTarget): KafkaError {
  if (error instanceof KafkaError) return error;
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const reasons = [message, codeOf(error), codeOf(causeOf(error))].join(" ");
  if (AUTH.test(name)) {
    const remedy = "Check user name, password and mechanism.";
    return new KafkaAuthError(`Kafka refused ${request}: ${message}. ${remedy}`);
  }
  if (tls !== undefined && TLS.test(reasons)) {
    return new KafkaTlsError(
      `TLS failed for ${request}: ${message}. Check that the port is one with TLS, and that ca trusts the broker's certificate.`,
      { cause: error },
    );
  }
  if (name === "UnsupportedVersionError") {
    return new KafkaRefusedError(
      `Kafka refused ${request}: ${message}. Use a newer broker, such as Kafka 4.`,
      35,
    );
  }
  const expects = [
    ...(tls === undefined ? ["TLS"] : []),
    ...(sasl === undefined ? ["a user and a password (SASL)"] : []),
  ];
  // A broker that expects something else closes the connection without a word.
  const closed = /closed/i.test(message) && expects.length > 0;
  const hint = closed ? `; perhaps the broker expects ${expects.join(" or ")}` : "";
  return new KafkaUnreachableError(`No answer to ${request}: ${message}${hint}.`, {
    cause: error,
    request,
  });
}

const AUTH = /^(?:SaslAuthentication|UnsupportedSaslMechanism|IllegalSaslState)Error$/;
const TLS = /certificate|self.signed|CERT|SSL|EPROTO|TLS/;

function codeOf(error: unknown): string {
  return typeof error === "object" && error !== null && "code" in error ? String(error.code) : "";
}

function causeOf(error: unknown): unknown {
  return error instanceof Error ? error.cause : undefined;
}
