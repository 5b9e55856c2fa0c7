import type { Action, EventName, StreamAction } from "../state/model.ts";
import { ApiError, dataOf, getJson, needsToken, postToken } from "./api.ts";

const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 10_000;
/** A connection that is open, but silent for so long, is replaced. */
const GIVE_UP_AFTER_MS = 20_000;

/** What each event of the stream does. */
const ACTIONS: { readonly [Name in EventName]: (json: string, at: number) => StreamAction<Name> } = {
  snapshot: actionOf("snapshot"),
  tasks: actionOf("tasks"),
  windows: actionOf("windows"),
  "dead-letters": actionOf("dead-letters"),
  end: actionOf("end"),
};

function actionOf<Name extends EventName>(name: Name): (json: string, at: number) => StreamAction<Name> {
  return (json, at) => ({ type: "stream", name, data: dataOf(name, json), at });
}

/**
 * Follows `/api/stream` while the page is shown: browsers allow few connections to a server, and hidden pages must not use
 * them up. The browser itself reconnects after a broken connection; where the server refused, this asks why, and tries again.
 */
export class LiveConnection {
  readonly #dispatch: (action: Action) => void;
  #hidden: boolean;
  /** Whether to connect when the page is shown. */
  #opensLater = false;
  #source: EventSource | undefined;
  #retry: number | undefined;
  #retryMs = FIRST_RETRY_MS;
  #heardAt = Date.now();

  constructor(dispatch: (action: Action) => void, hidden: boolean) {
    this.#dispatch = dispatch;
    this.#hidden = hidden;
  }

  /** Asks for a token if the server wants one, and connects. */
  async start(): Promise<void> {
    try {
      if (await needsToken()) this.#lock(null);
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
      this.#dispatch({ type: "connecting" });
      this.#open();
    } catch (error) {
      this.#lock(noticeOf(error));
    }
  }

  /** The page was hidden: it disconnects. Or it is shown again: a snapshot brings it up to date. */
  setHidden(hidden: boolean): void {
    if (hidden === this.#hidden) return;
    this.#hidden = hidden;
    if (hidden) {
      this.#opensLater ||= this.#source !== undefined;
      this.#close();
    } else if (this.#opensLater) {
      this.#dispatch({ type: "connecting" });
      this.#open();
    }
  }

  /** To be called every second or so. */
  tick(now: number): void {
    // Nothing comes to a hidden page, which is no fault.
    if (this.#hidden) return;
    this.#dispatch({ type: "tick", at: now });
    if (this.#source?.readyState === EventSource.OPEN && now - this.#heardAt > GIVE_UP_AFTER_MS) this.#open();
  }

  #lock(notice: string | null): void {
    this.#close();
    this.#opensLater = false;
    this.#dispatch({ type: "locked", notice });
  }

  #close(): void {
    window.clearTimeout(this.#retry);
    this.#source?.close();
    this.#source = undefined;
  }

  #open(): void {
    this.#close();
    this.#opensLater = this.#hidden;
    if (this.#hidden) return;
    this.#heardAt = Date.now();
    const source = new EventSource("api/stream");
    this.#source = source;
    for (const [name, toAction] of Object.entries(ACTIONS)) {
      source.addEventListener(name, ({ data }: MessageEvent<string>) => {
        this.#heardAt = Date.now();
        this.#retryMs = FIRST_RETRY_MS;
        this.#dispatch(toAction(data, this.#heardAt));
      });
    }
    source.addEventListener("error", () => {
      if (source !== this.#source) return;
      this.#dispatch({ type: "broke", at: Date.now() });
      if (source.readyState === EventSource.CLOSED) void this.#askWhy(source);
    });
  }

  /** If the browser does not retry, the server has refused: without a token, or because there are too many clients. */
  async #askWhy(source: EventSource): Promise<void> {
    const refusal = await reasonOfRefusal();
    // The page was hidden, or another attempt has begun.
    if (source !== this.#source) return;
    if (refusal === "locked") {
      this.#lock(null);
      return;
    }
    if (refusal !== undefined) this.#dispatch({ type: "refused", at: Date.now(), detail: refusal.detail });
    this.#retry = window.setTimeout(() => {
      this.#open();
    }, this.#retryMs);
    this.#retryMs = Math.min(LONGEST_RETRY_MS, this.#retryMs * 2);
  }
}

/** `undefined`: the server does not answer at all. */
async function reasonOfRefusal(): Promise<"locked" | { readonly detail: string } | undefined> {
  try {
    if (await needsToken()) return "locked";
    await getJson("api/flow");
    return { detail: "The server did not accept another live connection: too many pages may be open." };
  } catch (error) {
    return error instanceof ApiError ? { detail: error.message } : undefined;
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
