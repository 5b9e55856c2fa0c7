import { setInterval } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import type { History, Tasks, Window, Windows } from "@millrace/observe/api";
import { startLoopbackProxy, startRedis } from "@millrace/local-redis";
import type { LocalRedis } from "@millrace/local-redis";
import { Redis } from "ioredis";
import type { Browser, Page } from "playwright-core";
import { REMEDY, REQUIRED, findChromium } from "../../tools/chromium.mjs";
import { launchBrowser, openPage } from "./support/browser.ts";
import type { WatchedPage } from "./support/browser.ts";
import {
  accountOfApi,
  accountOnPage,
  countRenders,
  renderCounts,
  rendersBeforeFrame,
  seriousOnPage,
  setHidden,
  timelineOfApi,
  timelineOnPage,
  windowOfApi,
  windowOnPage,
} from "./support/read-page.ts";
import type { WindowFigures } from "./support/read-page.ts";
import { clickLine, eventually, startPublisher, startShown } from "./support/shown-run.ts";
import type { ShownRun } from "./support/shown-run.ts";

const CHROMIUM = findChromium();
/** So long that all of a test lies in one window. */
const ONE_WINDOW = "--window=tumbling:10000d";
/**
 * What the browser itself reports when a run ends: nothing listens any more, and the page asks for the map with the last rows,
 * if no window had rows before.
 */
const AT_THE_END = ["ERR_CONNECTION_REFUSED", "ERR_CONNECTION_RESET"];
const ZONES = ["Europe/Madrid", "America/Lima", "Asia/Tokyo", "UTC"];

if (CHROMIUM === undefined && !REQUIRED) {
  test.skip(`the page in a real browser, which needs one: ${REMEDY}`, () => undefined);
} else {
  describe("the page in a real browser", inBrowser);
}

function inBrowser(): void {
  let redis: LocalRedis;
  let client: Redis;
  let browser: Browser;
  const pages: WatchedPage[] = [];
  const runs: ShownRun[] = [];
  /** Those that a test lets fail. */
  const failed = new Set<ShownRun>();

  beforeAll(async () => {
    if (CHROMIUM === undefined) throw new Error(`there is no browser: ${REMEDY}`);
    [redis, browser] = await Promise.all([startRedis(), launchBrowser(CHROMIUM)]);
    client = new Redis(redis.url);
  });

  /** In every test: all requests go to the page's own server, all succeed, and nothing complains on the console. */
  afterEach(async () => {
    const foreign = pages.flatMap(({ page, origins }) =>
      [...origins].filter((origin) => origin !== new URL(page.url()).origin),
    );
    const errors = pages.flatMap((watched) => [...watched.errors]);
    await Promise.all(pages.splice(0).map(({ page }) => page.context().close()));
    const ended = await Promise.all(
      runs.map(({ program }) => {
        program.kill("SIGTERM");
        return program.ended;
      }),
    );
    const expected = runs.splice(0).map((run) => (failed.has(run) ? 1 : 0));
    expect(ended.map(({ code }) => code)).toEqual(expected);
    expect(errors).toEqual([]);
    expect(foreign).toEqual([]);
  });

  afterAll(async () => {
    client.disconnect();
    await browser.close();
    await redis.stop();
  });

  async function start(...args: Parameters<typeof startShown>): Promise<ShownRun> {
    const run = await startShown(...args);
    runs.push(run);
    return run;
  }

  /** Opens the page of a run. */
  async function visit({ url }: Pick<ShownRun, "url">): Promise<WatchedPage> {
    const watched = await openPage(browser);
    pages.push(watched);
    await watched.page.goto(url);
    return watched;
  }

  /** Publishes as many clicks to each zone as its place in the list says, in bare lines. */
  async function publishClicks(channel: string, zones: readonly string[] = ZONES): Promise<number> {
    const lines = zones.flatMap((zone, i) => Array.from({ length: i + 1 }, () => clickLine(zone)));
    const batch = client.pipeline();
    for (const line of lines) batch.publish(channel, line);
    await batch.exec();
    return lines.length;
  }

  async function closedWindows(run: ShownRun, atLeast: number): Promise<readonly Window[]> {
    return await eventually(
      async () => (await run.json<Windows>("api/windows")).windows.filter(({ status }) => status === "final"),
      (windows) => windows.length >= atLeast,
    );
  }

  async function accountBecomes(
    page: Page,
    expected: (tasks: Tasks) => boolean,
    run: ShownRun,
  ): Promise<void> {
    await eventually(() => run.json<Tasks>("api/tasks"), expected);
    // What was lost may become known after the last event has been received.
    await eventually(
      async () => [accountOfApi(await run.json<Tasks>("api/tasks")), await accountOnPage(page)],
      ([account, shown]) => JSON.stringify(shown) === JSON.stringify(account),
    );
  }

  async function shows(page: Page, expected: WindowFigures): Promise<void> {
    const text = JSON.stringify(expected);
    await eventually(
      () => windowOnPage(page),
      (shown) => JSON.stringify(shown) === text,
    );
  }

  test("it follows a flow with the numbers of the API; axe finds nothing serious, in light and dark colours and on a phone", async () => {
    const run = await start(redis.url, ["--channel=followed", "--window=tumbling:1s"]);
    const { page } = await visit(run);
    await page.getByText("No events yet").waitFor();

    let published = 0;
    for (const windows of [1, 2]) {
      published += await publishClicks("followed");
      await closedWindows(run, windows);
    }
    await client.publish("followed", "no click");
    const windows = await closedWindows(run, 2);

    await eventually(
      () => timelineOnPage(page),
      (shown) => shown.join() === timelineOfApi(windows).join(),
    );
    for (const window of windows) {
      const expected = windowOfApi(window);
      await page.getByRole("option", { name: expected.opens }).click();
      await shows(page, expected);
    }
    expect(windows.reduce((sum, { totals }) => sum + (totals["value"] ?? 0), 0)).toBe(published);
    await accountBecomes(page, ({ account }) => account.received === published + 1, run);
    await page.getByText("invalid-json").first().waitFor();
    const rows = windows.reduce((sum, { keys }) => sum + keys, 0);
    await page.getByText(`${rows} rows written`, { exact: true }).waitFor();
    // Without a store, output is flushed when the run ends.
    await page.getByText(`${rows} rows written by this process; flushed or committed: 0 by`).waitFor();

    const phone = { width: 375, height: 800 };
    expect(await seriousOnPage(page)).toEqual([]);
    await page.setViewportSize(phone);
    expect(await seriousOnPage(page)).toEqual([]);
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(width).toBeLessThanOrEqual(phone.width);
    await page.getByRole("button", { name: "Switch to dark colours" }).click();
    await page.locator("html[data-theme=dark]").waitFor();
    expect(await seriousOnPage(page)).toEqual([]);
  });

  test("with a store the rows of its commits are written ones; a run that fails says why", async () => {
    const args = ["--transport=stream", "--channel=stored", "--sink=redis", "--window=tumbling:500ms"];
    const run = await start(redis.url, args);
    const { page, ignoreErrors } = await visit(run);
    const batch = client.pipeline();
    for (const zone of ZONES) batch.xadd("stored", "*", "data", clickLine(zone));
    await batch.exec();
    const windows = await closedWindows(run, 1);
    const rows = windows.reduce((sum, { keys }) => sum + keys, 0);
    await page.getByText(`${rows} rows written`, { exact: true }).waitFor();
    await page.getByText(`${rows} rows written by this process; flushed or committed: ${rows} by`).waitFor();

    failed.add(run);
    await client.set("stored", "no stream");
    await page.getByText("The run has failed.").waitFor();
    expect(await page.getByRole("status").textContent()).toBe("failed");
    expect(await seriousOnPage(page)).toEqual([]);
    await run.program.ended;
    ignoreErrors(...AT_THE_END);
  });

  test("a window with a known loss shows as incomplete, and a stopped run shows its last rows", async () => {
    let away = false;
    await using proxy = await startLoopbackProxy(redis, {
      tap: (connection) => {
        if (away) connection.cut();
        return {};
      },
    });
    const publish = async (events: number): Promise<void> => {
      const lines = Array.from({ length: events }, () => clickLine("Asia/Tokyo")).join("\n");
      const frames = ["--producer=numbered", "--batch=16", "--wait-for-subscriber=1ms"];
      const args = ["--channel=cut", "--file=-", ...frames];
      expect((await startPublisher(redis.url, args, lines).ended).code).toBe(0);
    };
    const run = await start(proxy.url, ["--channel=cut", ONE_WINDOW]);
    const { page, ignoreErrors } = await visit(run);
    await publish(16);
    await page.getByRole("option", { name: "filling" }).waitFor();
    away = true;
    proxy.cut();
    await publish(32);
    away = false;
    await run.program.logged("redis-back");
    await publish(16);
    await accountBecomes(page, ({ account }) => account.received === 32 && account.lost === 32, run);
    expect(await accountOnPage(page)).toMatchObject({ published: 64, lost: 32, counted: 32, unaccounted: 0 });

    run.program.kill("SIGTERM");
    await page.getByText("The run has ended.").waitFor();
    await page.getByText("32 events missing").first().waitFor();
    expect(await windowOnPage(page)).toMatchObject({
      status: "incomplete",
      rows: [["Asia/Tokyo", 32]],
    });
    await run.program.ended;
    ignoreErrors(...AT_THE_END);
  });

  test("it says that the run has ended, and follows the next one on the same port", async () => {
    const first = await start(redis.url, ["--channel=again", ONE_WINDOW]);
    const { page, ignoreErrors } = await visit(first);
    await publishClicks("again", ["UTC"]);
    await accountBecomes(page, ({ account }) => account.received === 1, first);
    first.program.kill("SIGTERM");
    await page.getByText("The run has ended.").waitFor();
    await first.program.ended;
    expect(await page.getByRole("status").textContent()).toBe("ended");
    expect(await seriousOnPage(page)).toEqual([]);

    const port = Number(new URL(first.url).port);
    const second = await start(redis.url, ["--channel=again", ONE_WINDOW], { port });
    await page.getByText("No events yet").waitFor();
    ignoreErrors(...AT_THE_END);
    await publishClicks("again", ["UTC", "Asia/Tokyo"]);
    await accountBecomes(page, ({ account }) => account.received === 3, second);
    expect(await page.getByRole("status").textContent()).toBe("live");
    expect(await page.getByText("The run has ended.").count()).toBe(0);
  });

  test("the token is asked for once, and a wrong one is refused with the reason; a lost connection is shown as lost", async () => {
    const token = "0123456789abcdef0123456789abcdef";
    const run = await start(redis.url, ["--channel=secret", ONE_WINDOW], { token });
    await using proxy = await startLoopbackProxy({ port: Number(new URL(run.url).port) });
    const { page, ignoreErrors } = await visit({ url: `http://127.0.0.1:${proxy.port}/` });
    const field = page.getByRole("textbox", { name: "Token" });
    await field.waitFor();
    await setHidden(page, true);
    await setHidden(page, false);
    await field.fill("not the token");
    await field.press("Enter");
    await page.getByRole("alert").getByText("That is not the token.").waitFor();
    expect(await seriousOnPage(page)).toEqual([]);
    // The browser itself reports the refusal.
    ignoreErrors("401");
    await field.fill(token);
    await field.press("Enter");
    await page.getByText("No events yet").waitFor();
    await page.reload();
    await page.getByText("No events yet").waitFor();
    expect(await field.count()).toBe(0);

    const lost = page.getByText("The connection is lost.");
    await proxy.close();
    await lost.waitFor();
    expect(await seriousOnPage(page)).toEqual([]);
    await setHidden(page, true);
    const attempt = page.waitForRequest("**/api/stream");
    await setHidden(page, false);
    await attempt;
    await lost.waitFor();
    ignoreErrors("ERR_");
  });

  test("the arrow keys pick a window; a paused page stands still, a hidden one disconnects, and both catch up", async () => {
    const run = await start(redis.url, ["--channel=keys", "--window=tumbling:500ms"]);
    const { page } = await visit(run);
    let published = 0;
    for (const windows of [1, 2]) {
      published += await publishClicks("keys");
      await closedWindows(run, windows);
    }
    const slots = page.getByRole("option");
    const picked = async (slot: number): Promise<void> => {
      await slots.nth(slot).and(page.locator("[aria-selected=true]")).waitFor();
    };
    const [newest, older] = [0, 1];
    await slots.nth(older).waitFor();
    await picked(newest);
    await page.locator("[aria-selected=true]").focus();
    await page.keyboard.press("ArrowLeft");
    await picked(older);
    await page.keyboard.press("ArrowRight");
    await picked(newest);
    await page.keyboard.press("Home");
    await picked(older);
    await page.getByRole("button", { name: "Follow the newest" }).waitFor();
    await page.keyboard.press("Escape");
    await picked(newest);

    await accountBecomes(page, ({ account }) => account.received === published, run);
    const before = await accountOnPage(page);
    await page.getByRole("button", { name: "Pause" }).focus();
    await page.keyboard.press("Enter");
    await page.getByText("Paused.").waitFor();
    const received = published + (await publishClicks("keys"));
    // The figures of the second after that have gone to the page, too.
    await eventually(
      () => run.json<History>("api/history"),
      ({ samples }) => samples.filter((sample) => sample.received === received).length > 1,
    );
    expect(await accountOnPage(page)).toEqual(before);
    await page.keyboard.press("Enter");
    await accountBecomes(page, ({ account }) => account.received === received, run);

    await setHidden(page, true);
    await eventually(
      () => run.followers(),
      (followers) => followers === 0,
    );
    const later = received + (await publishClicks("keys"));
    await eventually(
      () => run.json<Tasks>("api/tasks"),
      ({ account }) => account.received === later,
    );
    await setHidden(page, false);
    await accountBecomes(page, ({ account }) => account.received === later, run);
    expect(await page.getByRole("status").textContent()).toBe("live");
    expect(await run.followers()).toBe(1);
  });

  test("at 10,000 row updates a second it renders at most once a frame, with few DOM nodes", async () => {
    const args = ["--channel=many", ONE_WINDOW, "--early=100ms"];
    const run = await start(redis.url, args);
    const { page } = await visit(run);
    await page.getByText("No events yet").waitFor();
    const lines = Array.from({ length: 1_000 }, (_, i) => clickLine(`key ${i}`));
    const stop = new AbortController();
    const feeding = (async () => {
      for await (const _ of setInterval(100, undefined, { signal: stop.signal })) {
        const batch = client.pipeline();
        for (const line of lines) batch.publish("many", line);
        await batch.exec();
      }
    })().catch((error: unknown) => {
      if (!stop.signal.aborted) throw error;
    });
    const rowsAre = async (atLeast: number): Promise<number> =>
      await eventually(
        async () => (await run.json<History>("api/history")).samples.at(-1)?.rowsOut ?? 0,
        (rows) => rows >= atLeast,
      );
    const updates = await rowsAre(1_000);
    await page.getByText("988 other keys").waitFor();
    await countRenders(page);
    const before = await renderCounts(page);
    await rowsAre(updates + 10_000);
    const after = await renderCounts(page);
    stop.abort();
    await feeding;
    const renders = after.renders - before.renders;
    expect(renders).toBeGreaterThan(0);
    expect(renders).toBeLessThanOrEqual(after.frames - before.frames + 1);
    expect(renders).toBeLessThan(10_000 / 100);
    expect(after.nodes).toBeLessThan(3_000);
    expect(after.nodes).toBeLessThan(before.nodes * 1.1);
    expect(await rendersBeforeFrame(page, "button[aria-pressed]")).toBe(0);
    await page.getByText("Paused.").waitFor();
  });
}
