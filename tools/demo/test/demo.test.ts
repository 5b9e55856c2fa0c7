import { connect } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { freePort } from "@millrace/local-redis";
import { startProgram } from "@millrace/local-redis/programs";
import type { ProgramEnd, StartedProgram } from "@millrace/local-redis/programs";

/** What `npm run demo` starts; the build does the same, and starts in a third of the time. */
const SOURCE = join(import.meta.dirname, "../src/main.ts");
const BUILD = join(import.meta.dirname, "../dist/main.js");
const QUICK = ["--duration=1s", "--window=tumbling:300ms", "--exit-when-idle=400ms"];

function demo(main: string, args: readonly string[] = [], onOutput?: () => void): StartedProgram {
  return startProgram(main, {
    args: [...QUICK, ...args],
    env: { REDIS_URL: undefined, REDIS_HOST: undefined },
    ...(onOutput === undefined ? {} : { onOutput }),
  });
}

/** The processes and the Redis that the demo reports to have started. */
function startedBy({ complaints }: ProgramEnd): { readonly port: number; readonly pids: readonly number[] } {
  const text = complaints.join("\n");
  return {
    port: Number(/Redis: .*127\.0\.0\.1:(\d+)/.exec(text)?.[1]),
    pids: [...text.matchAll(/\(process (\d+)\)/g)].map(([, pid]) => Number(pid)),
  };
}

async function isOpen(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  const [outcome] = await Promise.race([
    once(socket, "connect").then(() => ["open"]),
    once(socket, "close").then(() => ["closed"]),
  ]).catch(() => ["closed"]);
  socket.destroy();
  return outcome === "open";
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe("the demo", () => {
  test("piped, prints nothing but rows, and accounts for every event on stderr", async () => {
    const end = await demo(SOURCE).ended;
    expect(end.complaints.join("\n")).toMatch(/unaccounted +0 /);
    expect(end.code).toBe(0);
    const rows = end.output.map((line): unknown => JSON.parse(line));
    expect(rows.length).toBeGreaterThan(50);
    for (const row of rows) {
      expect(row).toMatchObject({
        timezone: expect.any(String),
        num_mobile_users: expect.any(Number),
        complete: true,
      });
    }
    const { port, pids } = startedBy(end);
    expect(pids).toHaveLength(2);
    expect(pids.filter(isAlive)).toEqual([]);
    expect(await isOpen(port)).toBe(false);
  });

  test("interrupted in the middle, accounts for what was published and leaves nothing running", async () => {
    const rows: (() => void)[] = [];
    const firstRow = new Promise<void>((resolve) => rows.push(resolve));
    const running = demo(BUILD, ["--duration=100s"], () => {
      rows.pop()?.();
    });
    await firstRow;
    running.kill("SIGINT");
    const end = await running.ended;
    expect(end.log.filter(({ level }) => level === "error")).toEqual([]);
    expect(end.code).toBe(0);
    const account = end.complaints.join("\n");
    expect(account).toMatch(/Stopped after [\d,]+ of 12,000 events/);
    expect(account).toMatch(/published +[1-9]/);
    expect(account).toMatch(/unaccounted +0 /);
    const { port, pids } = startedBy(end);
    expect(pids).toHaveLength(2);
    expect(pids.filter(isAlive)).toEqual([]);
    expect(await isOpen(port)).toBe(false);
  });

  test("kept, replays again and serves the page, until it is interrupted", async () => {
    const http = await freePort();
    let rows = 0;
    let resolve: () => void = () => undefined;
    // A replay of a second has at most five windows of 300 ms, each with a row for each of at most 72 zones.
    const secondReplay = new Promise<void>((done) => (resolve = done));
    const running = demo(BUILD, ["--keep", `--http=${http}`], () => {
      rows += 1;
      if (rows > 5 * 72) resolve();
    });
    await secondReplay;
    const page = await fetch(`http://127.0.0.1:${http}/`);
    const ready = await fetch(`http://127.0.0.1:${http}/readyz`);
    running.kill("SIGINT");
    const end = await running.ended;
    expect([page.status, ready.status]).toEqual([200, 200]);
    expect(await page.text()).toContain("<title>");
    expect(end.code).toBe(0);
    const lines = end.complaints.filter((line) => line.trim() !== "");
    expect(lines[1]).toBe(`  Page: http://127.0.0.1:${http}/`);
    expect(lines.join("\n")).toMatch(/unaccounted +0 /);
    expect(startedBy(end).pids.filter(isAlive)).toEqual([]);
  });
});
