import { expect, it } from "@jest/globals";
import { DEFAULT_TASK_ACCESS_OPTIONS } from "@millrace/redis-store";
import { TaskConnection } from "../../src/connection/task-connection.ts";
import { scriptOf } from "../../src/scripts/script.ts";
import { cleanUp, clientOf, serverOf } from "../support/servers.ts";

it("runs a script again that was killed before it wrote anything", async () => {
  const server = await serverOf({ args: ["--busy-reply-threshold", "10"] });
  const client = clientOf(server);
  const connection = new TaskConnection({ url: server.url }, "k", DEFAULT_TASK_ACCESS_OPTIONS);
  cleanUp(() => connection.close());
  const waiting = scriptOf("while redis.call('EXISTS', KEYS[1]) == 0 do end return 'ended'");
  const running = connection.run("wait", ({ script }) => script(waiting, ["k"], []));
  const killed = (): Promise<boolean> =>
    client.script("KILL").then(
      () => true,
      () => false,
    );
  while (!(await killed()));
  // It may be running again already.
  const written = (): Promise<boolean> =>
    client.set("k", "v").then(
      () => true,
      () => killed().then(() => false),
    );
  while (!(await written()));
  expect(await running).toBe("ended");
});
