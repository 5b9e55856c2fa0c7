import { afterAll, beforeEach, describe, expect, test } from "@jest/globals";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeScript, writeServerProgram } from "./helpers.ts";

/* Runs the bootstrap in a temporary checkout, with only the programs of `bin` on PATH. */

const tools = join(import.meta.dirname, "../..");
const all = mkdtempSync(join(tmpdir(), "millrace-bootstrap-"));
let root = "";
let bin = "";

beforeEach(() => {
  root = mkdtempSync(join(all, "checkout-"));
  bin = join(root, "bin");
  mkdirSync(bin);
  symlinkSync("/bin/sh", join(bin, "sh"));
  cpSync(join(tools, "bootstrap.mjs"), join(root, "tools/bootstrap.mjs"));
  cpSync(join(tools, "redis/src"), join(root, "tools/redis/src"), { recursive: true });
  cpSync(join(tools, "kafka/src"), join(root, "tools/kafka/src"), { recursive: true });
  writeFileSync(join(root, "package.json"), `{"engines":{"node":">=20.19"}}`);
  writeFileSync(join(root, "package-lock.json"), "{}");
  mkdirSync(join(root, "node_modules"));
  writeFileSync(join(root, "node_modules/.package-lock.json"), "{}");
});
afterAll(() => {
  rmSync(all, { recursive: true });
});

function bootstrap(env: Record<string, string> = {}): { code: number | null; said: string; stdout: string } {
  const script = join(root, "tools/bootstrap.mjs");
  const { status, stderr, stdout } = spawnSync(process.execPath, [script], {
    env: { PATH: bin, ...env },
    encoding: "utf8",
  });
  return { code: status, said: stderr, stdout };
}

/** Writes a program that runs the shell script with the real programs of this machine. */
function program(name: string, script: string): Promise<string> {
  return writeScript(join(bin, name), `PATH=${process.env["PATH"] ?? ""}\n${script}`);
}

describe("bootstrap", () => {
  test("is silent when there is nothing to do", async () => {
    await writeServerProgram(bin, "redis-server", "7.2.0");
    expect(bootstrap()).toEqual({ code: 0, said: "", stdout: "" });
  });

  test("refuses a Node that is too old", () => {
    writeFileSync(join(root, "package.json"), `{"engines":{"node":">=99.1"}}`);
    expect(bootstrap()).toMatchObject({ code: 1, said: expect.stringContaining("needs 99.1 or newer") });
  });

  test.each(["missing", "older than the lock file"])("runs npm ci when node_modules is %s", async (state) => {
    const installed = join(root, "node_modules/.package-lock.json");
    if (state === "missing") rmSync(join(root, "node_modules"), { recursive: true });
    else utimesSync(installed, 1, 1);
    await program(
      "npm",
      `echo "ran npm $*"; mkdir -p node_modules; echo {} > node_modules/.package-lock.json`,
    );
    expect(bootstrap({ REDIS_HOST: "redis.example" })).toEqual({
      code: 0,
      said: expect.stringContaining("ran npm ci"),
      stdout: "",
    });
    expect(bootstrap({ REDIS_HOST: "redis.example" }).said).toBe("");
  });

  test("fails when npm ci fails", async () => {
    rmSync(join(root, "node_modules"), { recursive: true });
    await program("npm", "echo EUSAGE >&2; exit 1");
    expect(bootstrap()).toMatchObject({ code: 1, said: expect.stringMatching(/EUSAGE[^]*npm ci failed/) });
  });

  test.each(["REDIS_URL", "REDIS_HOST"])("needs no server program when %s is set", (name) => {
    expect(bootstrap({ [name]: "redis.example" })).toMatchObject({ code: 0, said: "" });
  });

  test("refuses a server that is too old instead of installing another", async () => {
    await writeServerProgram(bin, "redis-server", "6.2.0");
    await program("brew", "echo must not run");
    const { code, said } = bootstrap();
    expect(code).toBe(1);
    expect(said).toMatch(/is version 6\.2\.0; Millrace needs 7\.0 or newer/);
    expect(said).not.toContain("must not run");
  });

  test("installs a server with the available package manager, and prints what it runs", async () => {
    const stock = await writeServerProgram(join(root, "stock"), "redis-server", "8.0.0");
    await program("brew", `echo "ran brew $*"; cp ${stock} ${bin}`);
    const { code, said, stdout } = bootstrap();
    expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
    expect(said).toContain("installing: brew install redis");
    expect(said).toContain("ran brew install redis");
    expect(bootstrap().said).toBe("");
  });

  test.each([{ MILLRACE_TEST_ALL: "1" }, { CI: "true" }])(
    "installs Java and Maven where all tests have to run: %j",
    async (all) => {
      const env = { REDIS_HOST: "redis.example", npm_lifecycle_event: "test", ...all };
      await program("brew", "exit 1");
      const refused = bootstrap(env);
      expect(refused.code).toBe(1);
      expect(refused.said).toContain("There is no Java here. Install Java 17 or newer and Maven");
      const java = await writeScript(join(root, "java"), `echo 'openjdk version "17.0.1"' >&2`);
      await program("brew", `echo "ran brew $*"; cp ${java} ${bin}; cp ${java} ${bin}/mvn`);
      const { code, said, stdout } = bootstrap(env);
      expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
      expect(said).toContain("ran brew install openjdk maven");
      expect(bootstrap(env).said).toBe("");
      expect(bootstrap({ ...env, npm_lifecycle_event: "demo" }).said).toBe("");
    },
  );

  test("falls back to the second package name", async () => {
    const stock = await writeServerProgram(join(root, "stock"), "valkey-server", "8.0.0");
    await program("sudo", `shift; PATH=${bin} "$@"`);
    await program("apk", `[ "$3" = valkey ] && cp ${stock} ${bin}`);
    expect(bootstrap()).toMatchObject({
      code: 0,
      said: expect.stringContaining("apk add --no-cache valkey"),
    });
  });

  test("names the remedies when there is no package manager", async () => {
    const nothing = bootstrap();
    expect(nothing.code).toBe(1);
    expect(nothing.said).toMatch(/Install Redis or Valkey.*REDIS_SERVER.*REDIS_URL/);

    await program("brew", "exit 1");
    const failing = bootstrap();
    expect(failing.code).toBe(1);
    expect(failing.said).toMatch(/Install Redis or Valkey.*REDIS_SERVER.*REDIS_URL/);
  });
});
