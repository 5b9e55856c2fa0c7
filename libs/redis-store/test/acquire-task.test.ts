import { expect, it } from "@jest/globals";
import { acquireTask } from "../src/acquire-task.ts";
import { TaskConnection } from "../src/connection/task-connection.ts";
import { DEFAULT_TASK_ACCESS_OPTIONS, TaskKeys } from "@millrace/redis-store";
import { TASK } from "./support/commits.ts";
import { cleanUp, serverOf } from "./support/servers.ts";

it("gives an owner that asks again the same fence, and another one a higher one", async () => {
  const { url } = await serverOf();
  const keys = new TaskKeys(TASK);
  const connection = new TaskConnection({ url }, keys.meta, DEFAULT_TASK_ACCESS_OPTIONS);
  cleanUp(() => connection.close());
  const fence = await acquireTask(connection, keys, "ana");
  expect(await acquireTask(connection, keys, "ana")).toBe(fence);
  expect(await acquireTask(connection, keys, "ben")).toBeGreaterThan(fence);
});
