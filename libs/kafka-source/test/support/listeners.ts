import type { LocalKafkaOptions } from "@millrace/local-kafka";
import { TLS_FIXTURE } from "./tls-fixture.ts";

export const USER = "user-1";
export const PASSWORD = "secret-1";

const MODULES = {
  plain: `org.apache.kafka.common.security.plain.PlainLoginModule required user_${USER}="${PASSWORD}";`,
  scram: "org.apache.kafka.common.security.scram.ScramLoginModule required;",
};
const SASL = {
  "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
  "plain.sasl.jaas.config": MODULES.plain,
  "scram-sha-256.sasl.jaas.config": MODULES.scram,
  "scram-sha-512.sasl.jaas.config": MODULES.scram,
};

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
