import type { BuiltInFlows } from "@millrace/command";

/**
 * The flows by name, the default first: a new one is a file beside this one, and a line here. Each is loaded when it is built, since
 * the help needs none.
 */
export const FLOWS: BuiltInFlows = {
  "mobile-counts": { build: async (parts) => (await import("./mobile-counts.ts")).mobileCounts(parts) },
  audience: {
    build: async (parts) => (await import("./audience.ts")).audience(parts),
    showsCompleteness: true,
  },
  echo: { build: async (parts) => (await import("./echo.ts")).echo(parts) },
};
