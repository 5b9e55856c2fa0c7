/** Shared by every project: TypeScript through swc, true ES modules, sources of sibling libs (no build needed). */
export default {
  testMatch: ["<rootDir>/test/**/*.test.ts"],
  extensionsToTreatAsEsm: [".ts"],
  transform: {
    "^.+\\.ts$": [
      "@swc/jest",
      {
        jsc: { parser: { syntax: "typescript" }, target: "es2023" },
        module: { type: "es6" },
        sourceMaps: "inline",
      },
    ],
  },
  testEnvironment: "node",
  testEnvironmentOptions: { customExportConditions: ["@millrace/source", "node", "node-addons"] },
};
