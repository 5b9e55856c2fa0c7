import { expect, it } from "@jest/globals";
import { VirtualTime } from "@millrace/dataflow/testing";
import { startLoopbackProxy } from "@millrace/local-redis";
import { RedisUnreachableError, StartClock, connectRedis } from "@millrace/redis-source";
import { RecordingLogger } from "../support/recording-logger.ts";
import { sinkBench } from "../support/sink-bench.ts";
import { until } from "../support/until.ts";

const bench = sinkBench();

/** Connections that hang until they are released. */
async function slowProxy(): Promise<{ port: number; held: () => number; release: () => void }> {
  const waiting: (() => void)[] = [];
  const proxy = await startLoopbackProxy(bench.server, {
    tap: (connection) => {
      let through = false;
      return {
        onRequest: (bytes) => {
          if (through) connection.toServer(bytes);
          else
            waiting.push(() => {
              through = true;
              connection.toServer(bytes);
            });
        },
      };
    },
  });
  bench.later(() => proxy.close());
  const release = (): void => {
    for (const go of waiting.splice(0)) go();
  };
  return { port: proxy.port, held: () => waiting.length, release };
}

it("lets the connections of a start take connectTimeoutMs together", async () => {
  const time = new VirtualTime();
  const { port, held, release } = await slowProxy();
  const options = { host: "127.0.0.1", port, connectTimeoutMs: 2_000, startClock: new StartClock() };
  const open = async (): Promise<void> => {
    const connection = await connectRedis(options, { role: "test", logger: new RecordingLogger(), time });
    bench.later(() => connection.close());
  };
  const both = [open(), open()];
  await until(() => held() >= 2);
  time.set(1_500);
  release();
  await Promise.all(both);
  // What a start does in between is not connecting.
  time.set(5_000);
  const third = open();
  await until(() => held() >= 1);
  time.set(5_500);
  await expect(third).rejects.toThrow(RedisUnreachableError);
  await expect(third).rejects.toThrow(
    /did not answer within 500 ms that were left of the 2000 ms for connecting/,
  );
  release();
  // The start is over: a connection opened now has the whole time.
  time.set(60_000);
  const late = open();
  await until(() => held() >= 1);
  time.set(61_900);
  release();
  await late;
});
