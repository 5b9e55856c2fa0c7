import { chromium } from "playwright-core";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";

/** A page of its own context, and what went wrong in it. */
export interface WatchedPage {
  readonly page: Page;
  /** Errors and warnings on the console, exceptions, failed requests and answers with an error status. */
  readonly errors: readonly string[];
  /** Drops those that have one of these texts, also later ones, because the test causes them. */
  readonly ignoreErrors: (...texts: readonly string[]) => void;
  /** The origins of all requests since the start. */
  readonly origins: ReadonlySet<string>;
}

/** Chromium with a profile of its own in a temporary folder. It ends with this process. */
export async function launchBrowser(executablePath: string): Promise<Browser> {
  return await chromium.launch({
    executablePath,
    args: ["--headless=new", "--disable-gpu", "--disable-quic"],
    // Chromium has no sandbox for root.
    chromiumSandbox: process.getuid?.() !== 0,
  });
}

/** Opens an empty page, whose times are UTC. */
export async function openPage(browser: Browser, options: BrowserContextOptions = {}): Promise<WatchedPage> {
  const context = await browser.newContext({
    locale: "en-GB",
    timezoneId: "UTC",
    colorScheme: "light",
    reducedMotion: "reduce",
    viewport: { width: 1280, height: 900 },
    ...options,
  });
  const page = await context.newPage();
  const errors: string[] = [];
  const ignored: string[] = [];
  const origins = new Set<string>();
  page.setDefaultTimeout(20_000);
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") errors.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => errors.push(`exception: ${error.message}`));
  page.on("request", (request) => origins.add(new URL(request.url()).origin));
  page.on("requestfailed", (request) => {
    const reason = request.failure()?.errorText ?? "";
    // A page that is left ends its requests.
    if (reason !== "net::ERR_ABORTED") errors.push(`failed: ${request.url()} ${reason}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 400) errors.push(`status ${response.status()}: ${response.url()}`);
  });
  return {
    page,
    origins,
    get errors() {
      return errors.filter((error) => !ignored.some((text) => error.includes(text)));
    },
    ignoreErrors: (...texts) => {
      ignored.push(...texts);
    },
  };
}
