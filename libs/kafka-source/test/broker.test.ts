import { afterAll, beforeAll, describe, it } from "@jest/globals";
import { startKafka, whyWithoutKafka } from "@millrace/local-kafka";
import { startLoopbackProxy } from "@millrace/local-redis";
import { assignment } from "./broker/assignment.ts";
import type { Bench } from "./broker/bench.ts";
import { connections } from "./broker/connections.ts";
import { conformance } from "./broker/conformance.ts";
import { examples } from "./broker/examples.ts";
import { outage } from "./broker/outage.ts";
import { silence } from "./broker/silence.ts";
import { sink } from "./broker/sink.ts";
import { source } from "./broker/source.ts";
import { SHORT_SESSIONS } from "./support/group-worker.ts";
import { LISTENERS } from "./support/listeners.ts";
import { OtherSide } from "./support/other-side.ts";

/* One broker for all tests that need one: it takes seconds to start. */

const without = whyWithoutKafka();

if (without !== undefined) it.skip(`Kafka as source and sink. ${without}`, () => undefined);
else {
  describe("with a broker", () => {
    let current: Bench | undefined;
    const bench = (): Bench => {
      if (current === undefined) throw new Error("the broker is not there yet");
      return current;
    };

    beforeAll(async () => {
      let proxied = 0;
      const proxy = await startLoopbackProxy({
        get port() {
          return proxied;
        },
      });
      const kafka = await startKafka({
        ...LISTENERS,
        listeners: {
          ...LISTENERS.listeners,
          PROXIED: { protocol: "PLAINTEXT", advertisedPort: proxy.port },
        },
        properties: SHORT_SESSIONS,
      });
      proxied = Number(kafka.address("PROXIED").split(":").at(-1));
      current = { kafka, proxy, other: await OtherSide.connect(kafka) };
    });

    afterAll(async () => {
      await current?.other[Symbol.asyncDispose]();
      await current?.proxy.close();
      await current?.kafka.stop();
    });

    conformance(bench);
    source(bench);
    sink(bench);
    assignment(bench);
    connections(bench);
    silence(bench);
    examples(bench);
    outage(bench);
  });
}
