import { join } from "node:path";

/** Shared by every project: TypeScript through swc, true ES modules, sources of sibling libs (no build needed). */
export default {
  // The same for all projects, since it names the folder of compiled sources.
  id: "millrace",
  testMatch: ["<rootDir>/test/**/*.test.ts"],
  extensionsToTreatAsEsm: [".ts"],
  transform: {
    "^.+\\.ts$": [
      join(import.meta.dirname, "tools/jest-transform.mjs"),
      {
        jsc: { parser: { syntax: "typescript" }, target: "es2023" },
        module: { type: "es6" },
        sourceMaps: "inline",
      },
    ],
  },
  reporters: ["default", join(import.meta.dirname, "tools/test-reporter.mjs")],
  // Many tests start real servers and programs, on machines that may be busy.
  testTimeout: 60_000,
  testEnvironment: join(import.meta.dirname, "tools/jest-environment.mjs"),
  testEnvironmentOptions: { customExportConditions: ["@millrace/source", "node", "node-addons"] },
};
