import { afterAll, beforeEach, describe, expect, test } from "@jest/globals";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findRedisServer } from "../src/find-redis-server.ts";
import { writeScript, writeServerProgram } from "./helpers.ts";

const root = mkdtempSync(join(tmpdir(), "millrace-find-"));
let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(root, "bin-"));
});
afterAll(() => {
  rmSync(root, { recursive: true });
});

describe("findRedisServer", () => {
  test("finds redis-server on PATH and returns its version", async () => {
    const path = await writeServerProgram(folder, "redis-server", "7.0.15");
    expect(findRedisServer({ PATH: `/nowhere:${folder}` })).toEqual({ path, version: "7.0.15" });
  });

  test("uses valkey-server if redis-server is too old", async () => {
    await writeServerProgram(folder, "redis-server", "6.2.14");
    const path = await writeServerProgram(folder, "valkey-server", "8.1.0");
    expect(findRedisServer({ PATH: folder })).toEqual({ path, version: "8.1.0" });
  });

  test("prefers the program that REDIS_SERVER names, by path or by name", async () => {
    await writeServerProgram(folder, "redis-server", "7.0.15");
    const path = await writeServerProgram(folder, "redis-8", "8.2.0");
    expect(findRedisServer({ PATH: folder, REDIS_SERVER: path }).path).toBe(path);
    expect(findRedisServer({ PATH: folder, REDIS_SERVER: "redis-8" }).path).toBe(path);
  });

  test.each(["6.9.9", "5.0.0"])("refuses version %s and reports the needed one", async (version) => {
    const path = await writeServerProgram(folder, "redis-server", version);
    expect(() => findRedisServer({ PATH: folder })).toThrow(
      expect.objectContaining({
        code: "REDIS_SERVER_TOO_OLD",
        message: expect.stringMatching(`${path} is version ${version}.*7\\.0 or newer.*REDIS_SERVER`),
      }),
    );
  });

  test("does not fall back to PATH when REDIS_SERVER names nothing executable", async () => {
    await writeServerProgram(folder, "redis-server", "7.0.15");
    const text = join(folder, "readme");
    writeFileSync(text, "not a program");
    expect(() => findRedisServer({ PATH: folder, REDIS_SERVER: text })).toThrow(
      expect.objectContaining({ code: "REDIS_SERVER_NOT_FOUND", message: expect.stringContaining(text) }),
    );
  });

  test("reports when there is none", () => {
    expect(() => findRedisServer({ PATH: folder })).toThrow(
      expect.objectContaining({ code: "REDIS_SERVER_NOT_FOUND" }),
    );
  });

  test("reports when the program prints no version", async () => {
    await writeScript(join(folder, "redis-server"), "echo hello");
    expect(() => findRedisServer({ PATH: folder })).toThrow(
      expect.objectContaining({ code: "REDIS_SERVER_UNUSABLE" }),
    );
  });
});
