import type { Tasks, Window } from "@millrace/observe/api";
import axe from "axe-core";
import type { Result } from "axe-core";
import type { Page } from "playwright-core";

/** The window that the page shows, or should show: numbers as numbers, rows from the highest to the lowest. */
export interface WindowFigures {
  readonly opens: string;
  readonly status: string;
  readonly keys: number;
  readonly rows: readonly (readonly [key: string, value: number])[];
  readonly sum: number;
}

/** Reads the shown window off the page. */
export async function windowOnPage(page: Page): Promise<WindowFigures> {
  return await page.locator(".panel-windows").evaluate((panel) => {
    const text = (within: Element, selector: string): string =>
      within.querySelector(selector)?.textContent ?? `no ${selector}`;
    const number = (within: Element): number => Number(text(within, "td.number").replaceAll(",", ""));
    return {
      opens: text(panel, "[aria-selected=true] .slot-time"),
      status: text(panel, ".window-head .badge"),
      keys: parseInt(text(panel, ".window-facts"), 10),
      rows: [...panel.querySelectorAll("table.bars tbody tr")].map(
        (row) => [text(row, "th"), number(row)] as const,
      ),
      sum: [...panel.querySelectorAll("table.bars tfoot tr")].map(number)[0] ?? Number.NaN,
    };
  });
}

/** The same from the API. */
export function windowOfApi({ open, status, keys, top, totals, measures }: Window): WindowFigures {
  const [measure = "none"] = measures;
  return {
    opens: new Date(open).toISOString().slice(11, 19),
    status,
    keys,
    rows: top.map(({ key, numbers }) => [key, numbers[measure] ?? Number.NaN]),
    sum: totals[measure] ?? Number.NaN,
  };
}

/** The windows of the timeline, newest first: when each opens, and its status. */
export async function timelineOnPage(page: Page): Promise<readonly string[]> {
  return await page
    .locator("[role=option]")
    .evaluateAll((slots) =>
      slots.map((slot) =>
        [".slot-time", ".slot-status"]
          .map((selector) => slot.querySelector(selector)?.textContent ?? "")
          .join(" "),
      ),
    );
}

/** The same from the API. */
export function timelineOfApi(windows: readonly Window[]): readonly string[] {
  return windows.map(({ open, status }) => `${new Date(open).toISOString().slice(11, 19)} ${status}`);
}

/** Counts of the account by name, as the page shows them. */
export async function accountOnPage(page: Page): Promise<Readonly<Record<string, number>>> {
  return await page.locator(".panel-account").evaluate((panel) => {
    const entries = [...panel.querySelectorAll("tr.entry, caption")].map((entry) => {
      const [name, count] = ["th, .equation-name", "td, strong"].map(
        (selector) => entry.querySelector(selector)?.textContent ?? "",
      );
      return [name ?? "", Number((count ?? "").replaceAll(",", ""))] as const;
    });
    const unaccounted = parseInt(panel.querySelector(".unaccounted strong")?.textContent ?? "", 10);
    return Object.fromEntries([...entries, ["unaccounted", unaccounted]]);
  });
}

/** The same from the API, for a flow with windows whose steps skip nothing. */
export function accountOfApi({ account }: Tasks): Readonly<Record<string, number>> {
  const { received, lost, duplicates, decoded, malformed, blank, counted, late, refused } = account;
  return {
    published: received + lost + duplicates,
    received,
    lost,
    duplicate: duplicates,
    decoded,
    malformed,
    blank,
    "in windows": account.windowed,
    counted,
    late,
    refused,
    skipped: account.skipped,
    unaccounted: account.unaccounted,
  };
}

/** What axe finds on the page as it is now that is serious or critical. */
export async function seriousOnPage(page: Page): Promise<readonly string[]> {
  const loaded = await page.evaluate(() => "axe" in window);
  if (!loaded) await page.evaluate(axe.source);
  const violations = await page.evaluate<readonly Result[]>(
    "axe.run(document, { resultTypes: ['violations'], preload: false }).then((results) => results.violations)",
  );
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}

/** Hides the page as another tab does, or shows it again. Chromium itself never hides the pages of a test. */
export async function setHidden(page: Page, hidden: boolean): Promise<void> {
  await page.evaluate((value) => {
    Object.defineProperty(document, "hidden", { value, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  }, hidden);
}

/** From now on counts the frames of the page, and how often its content was rendered. */
export async function countRenders(page: Page): Promise<void> {
  await page.evaluate(`
    window.seen = { renders: 0, frames: 0 };
    const count = () => {
      seen.frames += 1;
      requestAnimationFrame(count);
    };
    requestAnimationFrame(count);
    // It is called once after each script that has changed the content, whatever it has changed.
    new MutationObserver(() => {
      seen.renders += 1;
    }).observe(document.querySelector("#page"), {
      subtree: true,
      childList: true,
      characterData: true,
      attributes: true,
    });
  `);
}

export interface RenderCounts {
  readonly renders: number;
  readonly frames: number;
  /** Nodes in the document. */
  readonly nodes: number;
}

/** Since {@link countRenders}. */
export async function renderCounts(page: Page): Promise<RenderCounts> {
  return await page.evaluate("({ ...seen, nodes: document.querySelectorAll('*').length })");
}

/** Clicks a button many times before the next frame. @returns how often the page was rendered in that time */
export async function rendersBeforeFrame(page: Page, selector: string): Promise<number> {
  return await page.evaluate(`(async () => {
    const before = seen.renders;
    for (let i = 0; i < 20; i += 1) {
      document.querySelector(${JSON.stringify(selector)}).click();
      // Observers of changes are called, but no frame is drawn.
      await Promise.resolve();
    }
    return seen.renders - before;
  })()`);
}
