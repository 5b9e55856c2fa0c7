import type { StreamEvents } from "@millrace/observe/api";
import type { Action } from "../state/model.ts";
import { ApiError, getJson, needsToken, postToken } from "./api.ts";

const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 10_000;
/** A connection that is open, but silent for so long, is replaced. */
const GIVE_UP_AFTER_MS = 20_000;

/**
 * Follows `/api/stream`. The browser itself reconnects after a broken connection; where the server refused, this asks why,
 * and tries again.
 */
export class LiveConnection {
  readonly #dispatch: (action: Action) => void;
  #source: EventSource | undefined;
  #retry: number | undefined;
  #retryMs = FIRST_RETRY_MS;
  #heardAt = Date.now();

  constructor(dispatch: (action: Action) => void) {
    this.#dispatch = dispatch;
  }

  /** Asks for a token if the server wants one, and connects. */
  async start(): Promise<void> {
    try {
      if (await needsToken()) this.#dispatch({ type: "locked", notice: null });
      else this.#open();
    } catch {
      // The stream's own failure has the reason, and is tried again.
      this.#open();
    }
  }

  /** Gives a token, and connects. */
  async unlock(token: string): Promise<void> {
    try {
      await postToken(token);
      this.#dispatch({ type: "unlocked" });
      this.#open();
    } catch (error) {
      this.#dispatch({ type: "locked", notice: noticeOf(error) });
    }
  }

  /** To be called every second or so. */
  tick(now: number): void {
    this.#dispatch({ type: "tick", at: now });
    if (this.#source?.readyState === EventSource.OPEN && now - this.#heardAt > GIVE_UP_AFTER_MS) this.#open();
  }

  #open(): void {
    window.clearTimeout(this.#retry);
    this.#source?.close();
    this.#heardAt = Date.now();
    const source = new EventSource("api/stream");
    this.#source = source;
    const names: readonly (keyof StreamEvents)[] = ["snapshot", "tasks", "windows", "dead-letters", "end"];
    for (const name of names) {
      source.addEventListener(name, (event: MessageEvent<string>) => {
        this.#heard(name, event.data);
      });
    }
    source.addEventListener("error", () => {
      if (source !== this.#source) return;
      this.#dispatch({ type: "broke", at: Date.now() });
      if (source.readyState === EventSource.CLOSED) void this.#askWhy();
    });
  }

  #heard(name: keyof StreamEvents, text: string): void {
    const at = Date.now();
    this.#heardAt = at;
    this.#retryMs = FIRST_RETRY_MS;
    const data: unknown = JSON.parse(text);
    this.#dispatch({ type: "stream", name, data, at } as Action);
  }

  /** A stream that the browser does not try again was refused: without a token, or because there are too many. */
  async #askWhy(): Promise<void> {
    try {
      if (await needsToken()) {
        this.#dispatch({ type: "locked", notice: null });
        return;
      }
      await getJson("api/flow");
      this.#dispatch({
        type: "refused",
        at: Date.now(),
        detail: "The server did not accept another live connection: too many pages may be open.",
      });
    } catch (error) {
      if (error instanceof ApiError) {
        this.#dispatch({ type: "refused", at: Date.now(), detail: error.message });
      }
    }
    this.#retry = window.setTimeout(() => {
      this.#open();
    }, this.#retryMs);
    this.#retryMs = Math.min(LONGEST_RETRY_MS, this.#retryMs * 2);
  }
}

function noticeOf(error: unknown): string {
  if (!(error instanceof ApiError))
    return "The server does not answer. Check that the flow runs, and try again.";
  if (error.status === 401 || error.status === 403) {
    return "That is not the token. It is the value of MILLRACE_HTTP_TOKEN where the flow runs.";
  }
  return error.message;
}
