import type { LocalKafkaOptions } from "@millrace/local-kafka";
import { TLS_FIXTURE } from "@millrace/local-redis";

export const USER = "user-1";
export const PASSWORD = "secret-1";

const MODULES = {
  plain: `org.apache.kafka.common.security.plain.PlainLoginModule required user_${USER}="${PASSWORD}";`,
  scram: "org.apache.kafka.common.security.scram.ScramLoginModule required;",
  // Tokens without a signature, which Kafka accepts for tests.
  bearer:
    'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";',
};
const SASL = {
  "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER",
  "plain.sasl.jaas.config": MODULES.plain,
  "scram-sha-256.sasl.jaas.config": MODULES.scram,
  "scram-sha-512.sasl.jaas.config": MODULES.scram,
  "oauthbearer.sasl.jaas.config": MODULES.bearer,
};

/** A token that these listeners accept, if it is not over. */
export function tokenUntil(endS: number): string {
  const part = (content: object): string => Buffer.from(JSON.stringify(content)).toString("base64url");
  return `${part({ alg: "none" })}.${part({ sub: USER, iat: endS - 3_600, exp: endS })}.`;
}

/** Listeners that want a user and a password: with and without TLS. */
export const LISTENERS: Pick<LocalKafkaOptions, "listeners" | "scramUsers"> = {
  listeners: {
    SASL: { protocol: "SASL_PLAINTEXT", properties: SASL },
    SASLTLS: {
      protocol: "SASL_SSL",
      properties: {
        ...SASL,
        "ssl.keystore.type": "PEM",
        "ssl.keystore.key": TLS_FIXTURE.key,
        "ssl.keystore.certificate.chain": TLS_FIXTURE.cert,
      },
    },
  },
  scramUsers: { [USER]: PASSWORD },
};
