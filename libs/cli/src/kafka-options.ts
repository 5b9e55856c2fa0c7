import { readFileSync } from "node:fs";
import type { CommandLine, Value } from "./command-line.ts";
import { UsageError } from "./errors.ts";
import { listOf, oneOf, text } from "./parsers.ts";
import { secretOption } from "./secret-option.ts";
import type { Transport } from "./transport-options.ts";

const MECHANISMS = ["plain", "scram-sha-256", "scram-sha-512"] as const;
const BROKER = /^(?:\[[0-9a-fA-F:.]+\]|[^\s:/@[\]]+)(?::\d{1,5})?$/;

/** Which Kafka, and as whom: options of a connection of `@millrace/kafka-source`. */
export interface KafkaSettings {
  readonly brokers: readonly string[];
  readonly tls?: true | { readonly ca: string };
  readonly sasl?: KafkaUser;
  readonly connectTimeoutMs?: number | undefined;
}

/** A user of Kafka, and how the password is checked. */
export interface KafkaUser {
  readonly mechanism: (typeof MECHANISMS)[number];
  readonly username: string;
  readonly password: string;
}

/** What the options of Kafka depend on. */
export interface KafkaOptionContext {
  readonly transport: Value<{ readonly transport: Transport }>;
  /** How long the first connections may take, ms: one option for all of them. */
  readonly connectTimeoutMs: Value<number | undefined>;
}

/**
 * Declares the options that name a Kafka. The password has no flag, since all users of a machine can see command lines.
 *
 * The value is `undefined` for another transport; it throws a UsageError for options that contradict each other.
 */
export function kafkaOptions(
  cli: CommandLine,
  { transport, connectTimeoutMs }: KafkaOptionContext,
): Value<KafkaSettings | undefined> {
  const brokers = cli.option(
    {
      flag: "--brokers <addresses>",
      env: "KAFKA_BROKERS",
      description: "kafka: host:port of some brokers, separated by commas",
      parse: listOf(broker),
      defaultText: "localhost:9092",
    },
    ["localhost:9092"],
  );
  const tls = cli.toggle({ flag: "--kafka-tls", env: "KAFKA_TLS", description: "kafka: use TLS" });
  const ca = cli.option({
    flag: "--kafka-ca <file>",
    env: "KAFKA_CA_FILE",
    description: "kafka: file with the certificates (PEM) that are trusted with TLS",
    parse: contentOf,
    defaultText: "those of Node",
  });
  const username = cli.option({
    flag: "--kafka-username <name>",
    env: "KAFKA_USERNAME",
    description: "kafka: user (SASL)",
    parse: text,
  });
  const mechanism = cli.option(
    {
      flag: "--kafka-sasl <mechanism>",
      env: "KAFKA_SASL",
      description: "kafka: how the password is checked: plain, scram-sha-256 or scram-sha-512",
      parse: oneOf(MECHANISMS),
    },
    "plain",
  );
  const password = secretOption(cli, "KAFKA_PASSWORD", "password for Kafka");
  return () => {
    const used = transport().transport;
    if (used !== "kafka") {
      for (const value of [brokers, tls, ca, username, mechanism]) {
        cli.withoutEffect(value, `it applies to Kafka only, and --transport is ${used}`);
      }
      return undefined;
    }
    if (!tls()) cli.withoutEffect(ca, "it needs --kafka-tls");
    if (username() === undefined) cli.withoutEffect(mechanism, "it needs --kafka-username");
    const [trusted, name] = [ca(), username()];
    return {
      brokers: brokers(),
      ...(tls() ? { tls: trusted === undefined ? true : { ca: trusted } } : {}),
      ...(name === undefined ? {} : { sasl: userOf(name, password(), mechanism()) }),
      connectTimeoutMs: connectTimeoutMs(),
    };
  };
}

function userOf(
  username: string,
  password: string | undefined,
  mechanism: KafkaUser["mechanism"],
): KafkaUser {
  if (password !== undefined) return { mechanism, username, password };
  throw new UsageError(
    "--kafka-username: the password is missing; set KAFKA_PASSWORD, or KAFKA_PASSWORD_FILE to a file with it",
  );
}

/** A broker's name never has a user or a password, and what is none is not repeated. */
function broker(given: string): string {
  if (BROKER.test(given)) return given;
  throw new RangeError("a broker is not given as host:port; give it such as localhost:9092");
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new RangeError(`${path} cannot be read`, { cause });
  }
}
