import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "@jest/globals";
import { publishedPackages } from "./packed-project.ts";

const WORKSPACE = join(import.meta.dirname, "../../..");

/** A dry run of `nx release`, without colours. In one process: each plugin's own takes as long as all the rest. */
async function release(...args: string[]): Promise<string> {
  const nx = [
    join(WORKSPACE, "node_modules/nx/dist/bin/nx.js"),
    "release",
    ...args,
    "--dry-run",
    "--first-release",
  ];
  const env = {
    ...process.env,
    NODE_OPTIONS: "",
    NX_DAEMON: "false",
    NX_ISOLATE_PLUGINS: "false",
    NO_COLOR: "1",
    FORCE_COLOR: "0",
  };
  return (await promisify(execFile)(process.execPath, nx, { cwd: WORKSPACE, env })).stdout;
}

it("gives all packages one version, and each the versions of its siblings", async () => {
  const output = await release("version", "99.0.0");
  for (const { name } of await publishedPackages())
    expect(output).toMatch(
      new RegExp(`"name": "${name}",\n-\\s+"version": ".*",\n\\+\\s+"version": "99\\.0\\.0",`),
    );
  const siblings = [...output.matchAll(/^\+ .*"@millrace\/[\w-]+": "(.*)"/gm)].map(([, version]) => version);
  expect(new Set(siblings)).toEqual(new Set(["99.0.0"]));
  expect(output).not.toMatch(/^ .*"@millrace\/[\w-]+": "\d/m);
});

it("makes a section of the changelog of what is under Unreleased", async () => {
  const output = await release("changelog", "99.0.0", "--replace-existing-contents");
  expect(output).toMatch(/ {2}## \[Unreleased\]\n\n\+ ## \[99\.0\.0\] - \d{4}-\d\d-\d\d\n/);
});
