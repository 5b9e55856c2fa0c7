import { expect, test } from "@jest/globals";
import { SILENT_LOGGER } from "@millrace/dataflow";
import { RunOfProcesses } from "../src/running/run-of-processes.ts";
import { WorkerProcesses } from "../src/running/worker-processes.ts";

test("a process that the system does not start is a failure with its reason, and nothing is left waiting", async () => {
  const logged: string[] = [];
  const logger = { ...SILENT_LOGGER, error: (_fields: unknown, message: string) => logged.push(message) };
  const workers = new WorkerProcesses(logger, new RunOfProcesses([], logger), new Set(), "/there/is/no/node");
  const { failure, crashes } = await workers.run(1, new AbortController().signal);
  expect(failure).toMatchObject({
    code: "MILLRACE_WORKER_PROCESS_FAILED",
    message: expect.stringContaining("process 1 could not be started"),
  });
  expect(crashes).toBe(1);
  expect(logged).toEqual([expect.stringContaining("ENOENT")]);
});
