import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { startKafka, whyWithoutKafka } from "@millrace/local-kafka";
import type { LocalKafka } from "@millrace/local-kafka";
import { Random } from "../src/conductor/random.ts";
import { runShares } from "../src/shares/run-shares.ts";
import type { SharesPlan, SharesReport } from "../src/shares/run-shares.ts";
import { SHORT_SESSIONS } from "../src/shares/sharing.ts";

/** Many processes start and end, on a machine that may be busy. */
const TIMEOUT_MS = 180_000;

const unable = whyWithoutKafka();

if (unable !== undefined) test.skip(`workers that share a topic of Kafka. ${unable}`, () => undefined);
else {
  describe("workers that share a topic of Kafka", () => {
    let kafka: LocalKafka;

    beforeAll(async () => {
      kafka = await startKafka({ properties: SHORT_SESSIONS });
    }, TIMEOUT_MS);

    afterAll(async () => {
      await kafka.stop();
    });

    const shared = (
      kind: "command" | "group",
      plan: Pick<SharesPlan, "troubles" | "without">,
    ): Promise<SharesReport> => runShares({ ...plan, random: new Random(1), way: { kind, kafka } });

    test(
      "by the command have exact results through a restart of the broker",
      async () => {
        const { problems } = await shared("command", { troubles: ["broker"] });
        expect(problems).toEqual([]);
      },
      TIMEOUT_MS,
    );

    test(
      "by Kafka's group have exact results through a join, a leave and a death",
      async () => {
        const { problems } = await shared("group", { troubles: ["gentle", "kill"] });
        expect(problems).toEqual([]);
      },
      TIMEOUT_MS,
    );

    test(
      "by the command commit what is another's if the fence is not checked",
      async () => {
        const { problems } = await shared("command", { troubles: ["stall"], without: "fence" });
        expect(problems).toContainEqual(expect.stringMatching(/the fence did not refuse \d+ of \d+ commits/));
      },
      TIMEOUT_MS,
    );

    test(
      "by Kafka's group do work twice if a task goes to another worker before it is finished",
      async () => {
        const { problems } = await shared("group", { troubles: ["gentle"], without: "drain" });
        expect(problems).toContainEqual(expect.stringMatching(/taken from a worker before it had finished/));
      },
      TIMEOUT_MS,
    );
  });
}
