import type { Problem, Session } from "@millrace/observe/api";

/** An answer of the server that is no result. */
export class ApiError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = "ApiError";
    this.status = status;
  }
}

/** The JSON of a path of the API. Rejects with an {@link ApiError}, or a TypeError if the server does not answer. */
export async function getJson<T>(path: string): Promise<T> {
  const response = await fetch(path, { headers: { accept: "application/json" } });
  if (!response.ok) throw new ApiError(response.status, await problemOf(response));
  return (await response.json()) as T;
}

async function problemOf(response: Response): Promise<string> {
  const body = (await response.json().catch(() => ({}))) as Partial<Problem>;
  return body.detail ?? body.title ?? `The server answered with status ${response.status}.`;
}

/** Whether the server wants a token that this browser has not given. */
export async function needsToken(): Promise<boolean> {
  const { needed, given } = await getJson<Session>("session");
  return needed && !given;
}

/** Gives the token; the server answers with a cookie. */
export async function postToken(token: string): Promise<void> {
  const response = await fetch("session", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ token }),
  });
  if (!response.ok) throw new ApiError(response.status, await problemOf(response));
}
