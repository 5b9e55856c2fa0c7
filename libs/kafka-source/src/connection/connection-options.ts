import { KafkaOptionsError } from "../errors.ts";

/** The name and the password of a user, and how the broker checks them. */
export interface KafkaPassword {
  readonly mechanism: "plain" | "scram-sha-256" | "scram-sha-512";
  readonly username: string;
  readonly password: string;
}

/** A token of an OAuth server, fetched again for each connection. */
export interface KafkaToken {
  readonly mechanism: "oauthbearer";
  /** Called for each connection. */
  readonly token: () => string | Promise<string>;
}

/** Certificates of a TLS connection, each as PEM. */
export interface KafkaTls {
  /** Certificates that are trusted. `@default those of Node` */
  readonly ca?: string | readonly string[] | undefined;
  /** Certificate of this client, if brokers ask for one. `@default none` */
  readonly cert?: string | undefined;
  /** Private key of `cert`. */
  readonly key?: string | undefined;
  /** Of `key`. `@default none` */
  readonly passphrase?: string | undefined;
}

/** Which Kafka, and as whom. */
export interface KafkaConnectionOptions {
  /** Some of the cluster's brokers, as `host:port`; the others are found through them. The port is 9092 if it is left out. */
  readonly brokers: string | readonly string[];
  /** How this program appears in the brokers' logs and quotas. `@default "millrace"` */
  readonly clientId?: string | undefined;
  /** `true`, or certificates. `@default false` */
  readonly tls?: boolean | KafkaTls | undefined;
  /** @default none */
  readonly sasl?: KafkaPassword | KafkaToken | undefined;
  /** How long the first connection may take, retries included; each later attempt may take as long. `@default 3_000` */
  readonly connectTimeoutMs?: number | undefined;
}

/** Host and port of a broker. */
export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
}

/** Resolved options. */
export interface KafkaTarget {
  readonly brokers: readonly BrokerAddress[];
  readonly clientId: string;
  readonly tls: KafkaTls | undefined;
  readonly sasl: KafkaPassword | KafkaToken | undefined;
  readonly connectTimeoutMs: number;
  /** For messages: the brokers, and whether it is TLS. Never a user or a password. */
  readonly address: string;
}

const DEFAULT_PORT = 9_092;
const DEFAULT_CONNECT_TIMEOUT_MS = 3_000;

/** @throws KafkaOptionsError that names the option; it never quotes a password */
export function resolveKafka(options: KafkaConnectionOptions): KafkaTarget {
  const { clientId = "millrace", tls = false, sasl, connectTimeoutMs = DEFAULT_CONNECT_TIMEOUT_MS } = options;
  const given = typeof options.brokers === "string" ? options.brokers.split(",") : options.brokers;
  const brokers = given.map((text) => text.trim()).filter((text) => text !== "");
  if (brokers.length === 0) {
    throw new KafkaOptionsError("No broker is named. Give brokers as host:port, such as localhost:9092.");
  }
  if (!Number.isSafeInteger(connectTimeoutMs) || connectTimeoutMs < 1) {
    throw new KafkaOptionsError(
      `connectTimeoutMs is ${connectTimeoutMs}. Give a whole number of at least 1.`,
    );
  }
  if (sasl !== undefined && sasl.mechanism !== "oauthbearer" && sasl.username === "") {
    throw new KafkaOptionsError("The user name for Kafka is empty. Give one, or leave out sasl.");
  }
  return {
    brokers: brokers.map(parseBroker),
    clientId,
    tls: tls === false ? undefined : tls === true ? {} : tls,
    sasl,
    connectTimeoutMs,
    address: `Kafka at ${brokers.join(", ")}${tls === false ? "" : " (TLS)"}`,
  };
}

/** Which brokers, for messages. It names no user. @throws KafkaOptionsError */
export function describeKafka(options: KafkaConnectionOptions): string {
  return resolveKafka(options).address;
}

const BROKER = /^(?:\[(?<v6>[0-9a-fA-F:.]+)\]|(?<host>[^\s:/@[\]]+))(?::(?<port>\d{1,5}))?$/;

function parseBroker(text: string): BrokerAddress {
  const { v6, host = v6, port = String(DEFAULT_PORT) } = BROKER.exec(text)?.groups ?? {};
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535) {
    throw new KafkaOptionsError("A broker is not given as host:port. Give it such as localhost:9092.");
  }
  return { host, port: Number(port) };
}
