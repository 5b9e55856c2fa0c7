import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "@jest/globals";

const ROOT = resolve(import.meta.dirname, "../../..");
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "millrace-executor-"));
});

afterEach(() => rm(folder, { recursive: true }));

/** The environment without the variables of the surrounding Nx. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !/^(NX_|NODE_OPTIONS$|FORCE_COLOR$)/.test(name));
  return { ...Object.fromEntries(own), NX_DAEMON: "false" };
}

async function untilFileHas(path: string, text: string): Promise<string> {
  for (;;) {
    const content = await readFile(path, "utf8");
    if (content.includes(text)) return content;
    await pause(50);
  }
}

test("output to a file after Ctrl-C is not lost, and options are passed on unchanged", async () => {
  const path = join(folder, "rows");
  const file = openSync(path, "w");
  // A process group of its own, as in a terminal: Ctrl-C signals every process of the group.
  const nx = spawn(
    process.execPath,
    [
      join(ROOT, "node_modules/nx/dist/bin/nx.js"),
      "run",
      "executors:last-words",
      "--exit-when-idle=2s",
      "--meta",
    ],
    { cwd: ROOT, env: cleanEnvironment(), stdio: ["ignore", file, "ignore"], detached: true },
  );
  closeSync(file);
  const ended = once(nx, "exit");
  await untilFileHas(path, '["--exit-when-idle=2s","--meta"]');
  process.kill(-Number(nx.pid), "SIGINT");
  await ended;
  expect(await readFile(path, "utf8")).toMatch(/last row\n$/);
});

test.each(["apps/aggregator", "apps/publisher", "tools/redis"])(
  "%s is served by this executor",
  async (project) => {
    const manifest: unknown = JSON.parse(await readFile(join(ROOT, project, "package.json"), "utf8"));
    expect(manifest).toMatchObject({ nx: { targets: { serve: { executor: "./tools/executors:program" } } } });
  },
);
