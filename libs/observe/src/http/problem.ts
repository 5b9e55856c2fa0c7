import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { messageOf } from "@millrace/dataflow";
import type { Logger } from "@millrace/dataflow";
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import type { Problem } from "../api/schemas.ts";

const PROBLEM_TYPE = "application/problem+json";

/** A request that is refused; the server answers with its status and detail. */
export class Refusal extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  /** @param detail what was wrong, and what to do */
  constructor(status: number, detail: string, headers: Readonly<Record<string, string>> = {}) {
    super(detail);
    this.name = "Refusal";
    this.status = status;
    this.headers = headers;
  }
}

export function problemOf(status: number, detail?: string): Problem {
  return {
    type: "about:blank",
    title: STATUS_CODES[status] ?? "Error",
    status,
    ...(detail === undefined ? {} : { detail }),
  };
}

/** The error handler of the server: every error is answered as a problem; those of the server itself are logged. */
export function answerError(logger: Logger) {
  return (error: FastifyError | Refusal, request: FastifyRequest, reply: FastifyReply): void => {
    if (error instanceof Refusal) {
      sendProblem(reply.headers(error.headers), error.status, error.message);
      return;
    }
    const { statusCode: status = 500, validation } = error;
    if (status >= 500) {
      logger.warn(
        { event: "http-failed", method: request.method, url: request.url.slice(0, 200), stack: error.stack },
        `an HTTP request failed: ${messageOf(error)}`,
      );
      sendProblem(reply, status, "The server failed on this request; its log says why.");
      return;
    }
    sendProblem(reply, status, validation === undefined ? error.message : explain(error));
  };
}

/** The handler of unknown routes. */
export function answerNotFound(request: FastifyRequest, reply: FastifyReply): void {
  const path = request.url.split("?")[0]?.slice(0, 200) ?? "";
  sendProblem(reply, 404, `There is no ${request.method} ${path}; /api/openapi.json lists what there is.`);
}

/** Answers what is not an HTTP request, or is too large or too slow for one, and ends the connection. */
export function answerClientError(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = STATUS_OF[error.code ?? ""] ?? 400;
  const body = JSON.stringify(problemOf(status));
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\nContent-Type: ${PROBLEM_TYPE}\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}

const STATUS_OF: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

export function sendProblem(reply: FastifyReply, status: number, detail: string): void {
  void reply.code(status).type(PROBLEM_TYPE).send(problemOf(status, detail));
}

/** Such as "limit: must be <= 200". */
function explain({ validation = [], validationContext = "body" }: FastifyError): string {
  const reasons = validation.map(({ instancePath, message = "is invalid", params }) => {
    const missing = params["missingProperty"];
    const field = instancePath.slice(1) || (typeof missing === "string" ? missing : "");
    return field === "" ? message : `${field}: ${message}`;
  });
  return `${validationContext === "querystring" ? "query" : validationContext}: ${reasons.join("; ")}`;
}
