import eslint from "@eslint/js";
import nx from "@nx/eslint-plugin";
import prettier from "eslint-config-prettier";
import tseslint from "typescript-eslint";

/**
 * Imports go one way: apps -> command -> redis-store -> redis-source -> dataflow -> windowing; event-schema -> json;
 * command -> dashboard -> observe -> dataflow.
 */
const rooms = {
  windowing: [],
  json: [],
  "event-schema": ["json"],
  dataflow: ["windowing"],
  "redis-source": ["dataflow"],
  "redis-store": ["windowing", "dataflow", "redis-source"],
  "kafka-source": ["windowing", "dataflow", "redis-source"],
  cli: ["windowing", "dataflow", "redis-source"],
  observe: ["windowing", "dataflow"],
  dashboard: ["observe"],
  command: [
    ...["cli", "json", "windowing", "dataflow", "redis-source", "redis-store", "kafka-source"],
    ...["observe", "dashboard"],
  ],
  millrace: ["command", "json", "windowing", "dataflow", "redis-source", "redis-store", "kafka-source"],
  "create-millrace": [],
  app: ["command", "cli", "json", "event-schema", "windowing", "dataflow", "redis-source", "redis-store"],
};

const roomConstraints = Object.entries(rooms).map(([room, below]) => ({
  sourceTag: `room:${room}`,
  onlyDependOnLibsWithTags: ["type:testkit", ...below.map((name) => `room:${name}`)],
}));

export default tseslint.config(
  // `*.ts`: flow modules that a user tries in the root.
  { ignores: ["*.ts", "**/dist", "**/out-tsc", "**/coverage", "**/.nx", "**/.cache", "**/node_modules"] },
  eslint.configs.recommended,
  {
    files: ["**/*.ts", "**/*.tsx"],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    // One program for all files: with one for each project, every project checks the sources below it again.
    languageOptions: {
      parserOptions: { project: "tsconfig.lint.json", tsconfigRootDir: import.meta.dirname },
    },
    plugins: { "@nx": nx },
    rules: {
      "@nx/enforce-module-boundaries": [
        "error",
        {
          allowCircularSelfDependency: true,
          // A command that runs later imports late what another one imports at once: a program loads what it runs.
          checkDynamicDependenciesExceptions: ["^@millrace/"],
          depConstraints: [
            { sourceTag: "type:lib", onlyDependOnLibsWithTags: ["type:lib", "type:testkit"] },
            { sourceTag: "type:testkit", onlyDependOnLibsWithTags: ["type:testkit"] },
            { sourceTag: "type:app", onlyDependOnLibsWithTags: ["type:lib", "type:testkit"] },
            { sourceTag: "type:tool", onlyDependOnLibsWithTags: ["type:lib", "type:testkit", "type:tool"] },
            {
              sourceTag: "type:bench",
              onlyDependOnLibsWithTags: ["type:lib", "type:testkit", "type:tool", "type:app"],
            },
            ...roomConstraints,
          ],
        },
      ],
      "@typescript-eslint/restrict-template-expressions": [
        "error",
        { allowNumber: true, allowBoolean: true },
      ],
      "@typescript-eslint/consistent-type-imports": "error",
      // TypeScript's erasable subset has no enums; the rule took a tenth of the lint's time.
      "@typescript-eslint/no-unsafe-enum-assignment": "off",
      "no-eval": "error",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
    },
  },
  {
    // The page and its tests have the types of the browser, and no other source may use them.
    files: ["apps/dashboard/{page,test,tools}/**/*.{ts,tsx}", "apps/dashboard/vite.config.ts"],
    languageOptions: {
      parserOptions: { project: ["apps/dashboard/tsconfig.page.json", "apps/dashboard/tsconfig.spec.json"] },
    },
  },
  {
    // Checked by the compiler alone, so values serve their types and wrong uses are the point.
    files: ["**/test/types.ts"],
    extends: [tseslint.configs.disableTypeChecked],
    rules: { "@typescript-eslint/no-unused-vars": "off" },
  },
  {
    // Projects of their own, over the built packages; the packing test compiles them.
    files: ["tools/examples/**", "libs/create-millrace/template/**"],
    extends: [tseslint.configs.disableTypeChecked],
    rules: { "@nx/enforce-module-boundaries": "off" },
  },
  {
    files: ["**/*.mjs"],
    languageOptions: { globals: { process: "readonly", console: "readonly", URL: "readonly" } },
  },
  {
    files: ["**/*.cjs"],
    languageOptions: {
      sourceType: "commonjs",
      globals: { console: "readonly", module: "writable", process: "readonly", require: "readonly" },
    },
  },
  prettier,
);
