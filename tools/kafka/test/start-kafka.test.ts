import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { startKafka, whyWithoutKafka } from "../src/index.ts";
import type { LocalKafka } from "../src/index.ts";

const without = whyWithoutKafka();

if (without !== undefined) test.skip(`a local Kafka. ${without}`, () => undefined);
else {
  describe("a local Kafka", () => {
    let kafka: LocalKafka;

    beforeAll(async () => {
      kafka = await startKafka();
    });

    afterAll(async () => {
      await kafka.stop();
    });

    test("refuses a port that is taken", async () => {
      const port = Number(kafka.broker.split(":")[1]);
      await expect(startKafka({ port })).rejects.toMatchObject({ code: "KAFKA_PORT_TAKEN" });
    });

    test("says why a program failed", async () => {
      const unknown = kafka.run({ main: "org.apache.kafka.tools.TopicCommand", args: ["--nonsense"] });
      await expect(unknown).rejects.toMatchObject({
        code: "KAFKA_PROGRAM_FAILED",
        message: expect.stringContaining("nonsense"),
      });
    });

    test("keeps what Kafka's console producer wrote when the broker is killed and starts again", async () => {
      const server = ["--bootstrap-server", kafka.broker];
      const topic = [...server, "--topic", "words"];
      await kafka.run({ main: "org.apache.kafka.tools.TopicCommand", args: [...topic, "--create"] });
      await kafka.run({
        main: "org.apache.kafka.tools.ConsoleProducer",
        args: topic,
        input: "one\ntwo\n",
      });
      await kafka.kill();
      await kafka.restart();
      const offsets = await kafka.run({ main: "org.apache.kafka.tools.GetOffsetShell", args: topic });
      expect(offsets.trim()).toBe("words:0:2");
    });
  });
}

test("says what to install where there is no Java", () => {
  const script = join(import.meta.dirname, "../src/look-for-java.mjs");
  const { stdout } = spawnSync(process.execPath, [script], { env: { PATH: "/nowhere" }, encoding: "utf8" });
  expect(stdout).toContain("apt-get install default-jre-headless maven");
});
