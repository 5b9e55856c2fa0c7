import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { TimeProvider } from "@millrace/dataflow";
import Type from "typebox";
import type { FastifyReply, FastifyRequest } from "fastify";
import { Problem, Session } from "../api/schemas.ts";
import type { HttpApp } from "./http-app.ts";
import { Refusal } from "./problem.ts";

const MAX_SESSIONS = 1_000;
const SESSION_MS = 12 * 3_600_000;
/** Wrong tokens that one address may try in a minute. */
const MAX_WRONG = 10;
const WRONG_PERIOD_MS = 60_000;
/** Addresses whose wrong tokens are counted at the same time. */
const MAX_ADDRESSES = 1_000;

const LOOPBACK_HOST = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i;

/** Whether only this machine can reach a server on this host. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/i.test(host);
}

type Done = (error?: Error) => void;

interface AccessOptions {
  /** `undefined`: every program that reaches the server may read all of it. */
  readonly token: string | undefined;
  readonly loopback: boolean;
  readonly time: TimeProvider;
}

/**
 * Who may read. With a token, requests have it as a bearer token, or the cookie of a session that was begun with it. The
 * cookie has a random number, not the token, and ends with the process.
 */
export class Access {
  readonly #token: Buffer | undefined;
  readonly #loopback: boolean;
  readonly #time: TimeProvider;
  /** By the digest of a session's number: when it ends, monotonic, ms. */
  readonly #sessions = new Map<string, number>();
  readonly #wrong = new Map<string, { count: number; readonly until: number }>();

  constructor({ token, loopback, time }: AccessOptions) {
    this.#token = token === undefined ? undefined : digest(token);
    this.#loopback = loopback;
    this.#time = time;
  }

  /**
   * On loopback, refuses requests for another host: a page of a foreign site may have given its own name this machine's
   * address (DNS rebinding), and would read the answers.
   */
  readonly checkHost = (request: FastifyRequest, _reply: FastifyReply, done: Done): void => {
    const { host = "" } = request.headers;
    if (!this.#loopback || LOOPBACK_HOST.test(host)) done();
    else
      done(new Refusal(421, "This server answers as localhost, 127.0.0.1 and [::1] only; see --http-host."));
  };

  /** Refuses requests without the token or a session. */
  readonly checkReader = (request: FastifyRequest, _reply: FastifyReply, done: Done): void => {
    if (this.#isReader(request)) done();
    else
      done(
        new Refusal(401, "Give the token as a bearer token, or begin a session with POST /session.", {
          "www-authenticate": 'Bearer realm="millrace"',
        }),
      );
  };

  addRoutes(app: HttpApp): void {
    app.get(
      "/session",
      { schema: { summary: "Whether a token is needed, and given", response: { 200: Session } } },
      (request) => ({ needed: this.#token !== undefined, given: this.#isReader(request) }),
    );
    app.post(
      "/session",
      {
        schema: {
          summary: "Begins a session: sets a cookie in place of the token",
          body: Type.Object({ token: Type.String({ maxLength: 1_000 }) }),
          response: { 200: Session, 401: Problem, 403: Problem, 429: Problem },
        },
      },
      (request, reply) => {
        checkOrigin(request);
        if (!this.#isToken(request, request.body.token)) throw new Refusal(401, "This is not the token.");
        void reply.setCookie(cookieName(request), this.#begin(), {
          path: "/",
          httpOnly: true,
          sameSite: "strict",
          secure: isSecure(request),
          maxAge: SESSION_MS / 1_000,
        });
        return { needed: true, given: true };
      },
    );
  }

  #isReader(request: FastifyRequest): boolean {
    if (this.#token === undefined) return true;
    const cookie = request.cookies[cookieName(request)];
    if (cookie !== undefined && this.#isSession(cookie)) return true;
    const [, bearer] = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? "") ?? [];
    return bearer !== undefined && this.#isToken(request, bearer);
  }

  /** @throws Refusal for an address that has tried too many wrong ones */
  #isToken(request: FastifyRequest, given: string): boolean {
    if (this.#token === undefined) return true;
    const now = this.#time.monotonic();
    const { ip } = request;
    let wrong = this.#wrong.get(ip);
    if (wrong !== undefined && wrong.until <= now) wrong = undefined;
    if (wrong !== undefined && wrong.count >= MAX_WRONG) {
      const seconds = Math.ceil((wrong.until - now) / 1_000);
      throw new Refusal(429, `Too many wrong tokens came from this address; wait ${seconds} s.`, {
        "retry-after": String(seconds),
      });
    }
    // Digests have one length, and equal ones are compared in constant time.
    if (timingSafeEqual(digest(given), this.#token)) return true;
    wrong ??= { count: 0, until: now + WRONG_PERIOD_MS };
    wrong.count += 1;
    putBounded(this.#wrong, ip, wrong, MAX_ADDRESSES);
    return false;
  }

  #begin(): string {
    const id = randomBytes(32).toString("base64url");
    putBounded(this.#sessions, digest(id).toString("hex"), this.#time.monotonic() + SESSION_MS, MAX_SESSIONS);
    return id;
  }

  #isSession(id: string): boolean {
    const key = digest(id).toString("hex");
    const until = this.#sessions.get(key);
    if (until === undefined) return false;
    if (until > this.#time.monotonic()) return true;
    this.#sessions.delete(key);
    return false;
  }
}

/** A page of another site must not begin a session. A proxy that changes `Host` passes on the original one. */
function checkOrigin({ headers }: FastifyRequest): void {
  const { origin, host, "x-forwarded-host": forwarded } = headers;
  if (origin === undefined) return;
  const from = URL.canParse(origin) ? new URL(origin).host : "";
  if (from !== host && from !== forwarded) {
    throw new Refusal(403, "The request comes from a page of another site.");
  }
}

/** Cookies do not differ by port, and each process has sessions of its own. */
function cookieName({ socket }: FastifyRequest): string {
  return `millrace_session_${socket.localPort ?? 0}`;
}

/** A proxy in front of the server may speak TLS. */
function isSecure({ headers }: FastifyRequest): boolean {
  return headers["x-forwarded-proto"] === "https";
}

/** Adds the newest entry, and drops the oldest one above the bound. */
function putBounded<K, V>(map: Map<K, V>, key: K, value: V, max: number): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= max) return;
  const [oldest] = map.keys();
  if (oldest !== undefined) map.delete(oldest);
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
