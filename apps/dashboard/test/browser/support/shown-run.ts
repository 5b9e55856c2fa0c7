import { join } from "node:path";
import { startProgram } from "@millrace/local-redis/programs";
import type { StartedProgram } from "@millrace/local-redis/programs";

const APPS = join(import.meta.dirname, "../../../..");

/** Nothing of what the shell says about Redis or Millrace reaches the programs. */
const CLEAN = Object.fromEntries(
  Object.keys(process.env)
    .filter((name) => /^(REDIS_|MILLRACE_|EVENTS_JSONL_FILE|INIT_CWD)/.test(name))
    .map((name) => [name, undefined]),
);

/** A running aggregator that serves the page. */
export interface ShownRun {
  readonly program: StartedProgram;
  /** Of the page, with a slash at the end. */
  readonly url: string;
  /** The JSON of a path of the API. */
  json<T>(path: string): Promise<T>;
  /** Pages that follow the run now. */
  followers(): Promise<number>;
}

/** Starts the aggregator as it is built, on a free port, and resolves when it reads events. */
export async function startShown(
  redisUrl: string,
  args: readonly string[],
  { port = 0, token }: { readonly port?: number; readonly token?: string } = {},
): Promise<ShownRun> {
  const program = startProgram(join(APPS, "aggregator/dist/main.js"), {
    args: [`--http=${port}`, ...args],
    env: { ...CLEAN, REDIS_URL: redisUrl, MILLRACE_HTTP_TOKEN: token },
    outputTo: "/dev/null",
  });
  const reads = args.includes("--transport=stream") ? "reading" : "subscribed";
  const [listening] = await Promise.all([program.logged("http-listening"), program.logged(reads)]);
  const url = String(listening["url"]);
  const headers: HeadersInit = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const get = async (path: string): Promise<Response> => {
    const response = await fetch(new URL(path, url), { headers });
    if (!response.ok) throw new Error(`${path} answered with ${response.status}`);
    return response;
  };
  return {
    program,
    url,
    json: async <T>(path: string): Promise<T> => (await (await get(path)).json()) as T,
    followers: async () => {
      const text = await (await get("metrics")).text();
      return Number(/^millrace_stream_clients(?:\{.*\})? (\d+)$/m.exec(text)?.[1]);
    },
  };
}

/** The publisher as it is built. */
export function startPublisher(redisUrl: string, args: readonly string[], input = ""): StartedProgram {
  return startProgram(join(APPS, "publisher/dist/main.js"), {
    args,
    env: { ...CLEAN, REDIS_URL: redisUrl },
    input,
  });
}

/** Resolves with the first value that passes. */
export async function eventually<T>(
  look: () => Promise<T>,
  passes: (value: T) => boolean,
  limitMs = 20_000,
): Promise<T> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const value = await look();
    if (passes(value)) return value;
    if (performance.now() > deadline)
      throw new Error(`after ${limitMs} ms it is still ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** A click as a line. */
export function clickLine(zone: string, mobile = true): string {
  return JSON.stringify({
    click_id: "c-1",
    os: "Android 14",
    os_name: "Android",
    os_timezone: zone,
    device_type: mobile ? "Mobile" : "Desktop",
    device_is_mobile: mobile,
    user_custom_id: "ann@example.com",
    user_domain_id: "d-1",
  });
}
