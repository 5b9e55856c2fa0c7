import type { Tasks, Window } from "@millrace/observe/api";
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
