import { describe, expect, it } from "@jest/globals";
import { TLS_FIXTURE, freePort } from "@millrace/local-redis";
import { KafkaSink, KafkaSource } from "@millrace/kafka-source";
import type { KafkaConnectionOptions, KafkaPassword } from "@millrace/kafka-source";
import { PASSWORD, USER, tokenUntil } from "../support/listeners.ts";
import { partContext } from "../support/part-context.ts";
import { take } from "../support/take.ts";
import type { Suite } from "./bench.ts";

export const connections: Suite = (bench) => {
  const user = (mechanism: KafkaPassword["mechanism"], password = PASSWORD): KafkaPassword => ({
    mechanism,
    username: USER,
    password,
  });

  describe("a connection", () => {
    it.each(["plain", "scram-sha-256", "scram-sha-512"] as const)(
      "with a password checked by %s writes and reads, with TLS too",
      async (mechanism) => {
        const { kafka, other } = bench();
        const topic = await other.topic();
        const options: KafkaConnectionOptions[] = [
          { brokers: kafka.address("SASL"), sasl: user(mechanism) },
          { brokers: kafka.address("SASLTLS"), sasl: user(mechanism), tls: { ca: TLS_FIXTURE.cert } },
        ];
        for (const [n, connection] of options.entries()) {
          const sink = await new KafkaSink(connection, { topic }).buildPart("0", undefined, partContext());
          await sink.writeBatch([`row ${n}`]);
          await sink.close();
        }
        for (const connection of options) {
          const source = new KafkaSource(connection, { topic });
          const partition = await source.buildPart(`${topic}-0`, undefined, partContext());
          expect(await take(partition, 2)).toEqual(["row 0", "row 1"]);
          await partition.close();
        }
      },
    );

    it("with a token (oauthbearer) writes and reads, and one that is over is refused", async () => {
      const { kafka, other } = bench();
      const topic = await other.topic();
      const nowS = Math.floor(Date.now() / 1_000);
      const bearing = (token: string): KafkaConnectionOptions => ({
        brokers: kafka.address("SASL"),
        sasl: { mechanism: "oauthbearer", token: () => Promise.resolve(token) },
      });
      const connection = bearing(tokenUntil(nowS + 600));
      const sink = await new KafkaSink(connection, { topic }).buildPart("0", undefined, partContext());
      await sink.writeBatch(["row"]);
      await sink.close();
      const partition = await new KafkaSource(connection, { topic }).buildPart(
        `${topic}-0`,
        undefined,
        partContext(),
      );
      expect(await take(partition, 1)).toEqual(["row"]);
      await partition.close();
      expect(await failureOf(bearing(tokenUntil(nowS - 600)))).toMatchObject({
        code: "MILLRACE_KAFKA_AUTH_FAILED",
      });
    });

    it.each(["plain", "scram-sha-256"] as const)(
      "with a wrong password fails at once, and says nothing of it (%s)",
      async (mechanism) => {
        const connection = { brokers: bench().kafka.address("SASL"), sasl: user(mechanism, "wrong-one") };
        const failure = await failureOf(connection);
        expect(failure).toMatchObject({ code: "MILLRACE_KAFKA_AUTH_FAILED" });
        expect(String(failure)).not.toContain("wrong-one");
      },
    );

    it("with a certificate that is not trusted fails at once", async () => {
      const connection = { brokers: bench().kafka.address("SASLTLS"), sasl: user("plain"), tls: true };
      expect(await failureOf(connection)).toMatchObject({ code: "MILLRACE_KAFKA_TLS_FAILED" });
    });

    it("without a password says that the broker may expect one", async () => {
      const connection = { brokers: bench().kafka.address("SASL"), connectTimeoutMs: 300 };
      const failure = await failureOf(connection);
      expect(failure).toMatchObject({ code: "MILLRACE_KAFKA_UNREACHABLE" });
      expect(String(failure)).toContain("perhaps the broker expects TLS or a user and a password (SASL)");
    });

    it("fails within its time limit where nothing listens", async () => {
      const port = await freePort();
      const connection = { brokers: `127.0.0.1:${port}`, connectTimeoutMs: 200 };
      const failure = await failureOf(connection);
      expect(failure).toMatchObject({ code: "MILLRACE_KAFKA_UNREACHABLE" });
      expect(String(failure)).toContain("ECONNREFUSED");
    });

    it("finds the cluster through any of the brokers that are named", async () => {
      const { kafka, other } = bench();
      const topic = await other.topic();
      const brokers = [`127.0.0.1:${await freePort()}`, kafka.broker];
      expect(await new KafkaSource({ brokers }, { topic }).listParts()).toEqual([`${topic}-0`]);
    });
  });
};

function failureOf(connection: KafkaConnectionOptions): Promise<unknown> {
  return new KafkaSource(connection, { topic: "any" }).listParts().then(
    () => undefined,
    (error: unknown) => error,
  );
}
