import { expect, it } from "@jest/globals";
import { RedisUnreachableError } from "@millrace/redis-source";
import { failureOf } from "../../src/connection/failure.ts";
import { clientOf, serverOf } from "../support/servers.ts";

it("treats a killed script as retryable, since it can be killed only before it writes", async () => {
  const server = await serverOf({ args: ["--busy-reply-threshold", "10"] });
  const [client, killer] = [clientOf(server), clientOf(server)];
  // A client that connects while a script runs is not ready before the script ends.
  await Promise.all([client.ping(), killer.ping()]);
  const running = client.eval("while true do end", 0).catch((error: unknown) => error);
  const killed = (): Promise<boolean> =>
    killer.script("KILL").then(
      () => true,
      () => false,
    );
  while (!(await killed()));
  const failure = failureOf(await running, "localhost:6379");
  expect(failure).toBeInstanceOf(RedisUnreachableError);
  expect(failure).toMatchObject({ retryable: true, message: expect.stringContaining("killed by user") });
});
