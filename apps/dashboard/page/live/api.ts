import type { Problem, Session, StreamEvents } from "@millrace/observe/api";

/** An answer of the server that is no result. */
export class ApiError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = "ApiError";
    this.status = status;
  }
}

// JSON of the server has the types of its API. That is asserted only here, and not checked: the page comes from
// the same server, and so from the same version.

/** The data of an event of the stream. */
export function dataOf<Name extends keyof StreamEvents>(_name: Name, json: string): StreamEvents[Name] {
  return JSON.parse(json) as StreamEvents[Name];
}

async function bodyOf<T>(response: Response): Promise<T> {
  return (await response.json()) as T;
}

/** The JSON of a path of the API. Rejects with an {@link ApiError}, or a TypeError if the server does not answer. */
export async function getJson<T>(path: string): Promise<T> {
  const response = await fetch(path, { headers: { accept: "application/json" } });
  if (!response.ok) throw new ApiError(response.status, await problemOf(response));
  return await bodyOf<T>(response);
}

async function problemOf(response: Response): Promise<string> {
  const unknown = `The server answered with status ${response.status}.`;
  try {
    const { detail, title } = await bodyOf<Partial<Problem>>(response);
    return detail ?? title ?? unknown;
  } catch {
    // A proxy between may answer with something else.
    return unknown;
  }
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
