// The JSON of the HTTP API, as schemas and as types. It imports nothing of Node, so that a page can use its types.
export * from "./schemas.ts";
