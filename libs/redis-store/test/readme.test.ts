import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { Redis } from "ioredis";
import { startRedis } from "@millrace/local-redis";
import type { LocalRedis } from "@millrace/local-redis";

const library = join(import.meta.dirname, "..");

let server: LocalRedis;

beforeAll(async () => {
  server = await startRedis();
});

afterAll(async () => {
  await server.stop();
});

it("has an example that prints and keeps what the README says", async () => {
  const readme = await readFile(join(library, "README.md"), "utf8");
  const [example = "", output = ""] = [...readme.matchAll(/^```(?:ts)?\n(.*?)^```/gms)].map(
    ([, code]) => code,
  );
  // Inside the library, so that its imports resolve as a user's do.
  const folder = await mkdtemp(join(library, "out-tsc-readme-"));
  try {
    const script = join(folder, "example.ts");
    await writeFile(script, example);
    const node = ["--conditions=@millrace/source", "--import", "tsx", script];
    const { stdout } = await promisify(execFile)(process.execPath, node, {
      env: { ...process.env, NODE_OPTIONS: "", REDIS_URL: server.url },
    });
    expect(stdout).toBe(output);
  } finally {
    await rm(folder, { recursive: true });
  }
  const client = new Redis(server.url);
  expect(await client.hgetall("millrace:{visits:0}:visits:results:out:0")).toEqual({
    "/home": '{"page":"/home","visits":2}',
    "/docs": '{"page":"/docs","visits":1}',
  });
  client.disconnect();
});
