import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { SILENT_LOGGER, SYSTEM_TIME } from "@millrace/dataflow";
import { startRedis } from "@millrace/local-redis";
import type { LocalRedis } from "@millrace/local-redis";
import { connectRedis } from "@millrace/redis-source";
import type { RedisConnection } from "@millrace/redis-source";
import { MAIN, publisher } from "./support/programs.ts";

/** More than a pipe buffers, so that it is read in chunks. */
const LINES = Array.from({ length: 5_000 }, (_, n) => JSON.stringify({ n, padding: "x".repeat(40) }));

let server: LocalRedis;
let redis: RedisConnection;
let folder: string;
let file: string;

beforeAll(async () => {
  server = await startRedis();
  const settings = { role: "test", logger: SILENT_LOGGER, time: SYSTEM_TIME };
  redis = await connectRedis({ url: server.url }, settings);
  folder = await mkdtemp(join(tmpdir(), "millrace-test-"));
  file = join(folder, "events.jsonl");
  await writeFile(file, `${LINES.join("\n")}\n`);
});

afterAll(async () => {
  await redis.close();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

function argsFor(stream: string): readonly string[] {
  return ["--transport=stream", `--channel=${stream}`, "--no-header"];
}

async function linesOf(stream: string): Promise<readonly string[]> {
  const entries = await (await redis.whenUp()).xrange(stream, "-", "+");
  return entries.map(([, [, line = ""]]) => line);
}

/** Runs a command in bash, where `publisher` is the program and `$FILE` the events. @returns exit code and output */
async function typed(command: string): Promise<{ readonly code: unknown; readonly said: string }> {
  const node = `"${process.execPath}" "${MAIN}"`;
  const shell = spawn("bash", ["-c", `publisher() { exec ${node} "$@"; }\n${command}`], {
    env: { PATH: process.env["PATH"], FILE: file, REDIS_URL: server.url },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  shell.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
  const [code] = (await once(shell, "close")) as readonly unknown[];
  return { code, said };
}

describe("an input that is not a regular file is read once, as a stream", () => {
  test.each([
    ["a process substitution", 'publisher --file <(cat "$FILE") "$@"'],
    ["one in a single word", 'publisher --file=<(cat "$FILE") "$@"'],
    ["/dev/stdin at a pipe", 'cat "$FILE" | publisher --file /dev/stdin "$@"'],
    ["/dev/stdin at a file", 'publisher --file /dev/stdin "$@" < "$FILE"'],
    ["- at a file", 'publisher --file - "$@" < "$FILE"'],
    ["compressed lines", 'publisher --file <(gzip -c "$FILE") "$@"'],
  ])("%s", async (name, command) => {
    const stream = name.replace(/\W/g, "-");
    const { code, said } = await typed(`set -- ${argsFor(stream).join(" ")}\n${command}`);
    expect({ code, said }).toMatchObject({ code: 0 });
    expect(await linesOf(stream)).toEqual(LINES);
  });

  test("a named pipe whose writer opens it later", async () => {
    const pipe = join(folder, "pipe");
    execFileSync("mkfifo", [pipe]);
    const publishing = publisher(server.url, pipe, argsFor("named"));
    await publishing.logged("starting");
    const writer = spawn("sh", ["-c", `cat "${file}" > "${pipe}"`], { stdio: "ignore" });
    const { code } = await publishing.ended;
    expect(code).toBe(0);
    expect(writer.exitCode ?? (await once(writer, "exit"))[0]).toBe(0);
    expect(await linesOf("named")).toEqual(LINES);
  });

  test("and cannot be looped", async () => {
    const { code, said } = await typed('publisher --loop --file <(cat "$FILE")');
    expect(code).toBe(2);
    expect(said).toMatch(
      /--loop: \/dev\/fd\/\d+ is not a regular file \(a pipe\?\) and can be read only once/,
    );
  });
});
