import { fileURLToPath } from "node:url";

export * from "@millrace/observe";

/** Absolute path of the folder with the built page, which the HTTP server of a flow serves. */
export const PAGE: string = fileURLToPath(new URL("../dist/page", import.meta.url));
