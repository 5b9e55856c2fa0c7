import { lookForJava } from "./look-for-java.mjs";

/**
 * Why tests that need a broker are left out, with the remedy; `undefined`: they run. With `MILLRACE_TEST_ALL=1` or
 * `CI=true` they always do, and fail where something is missing.
 */
export function whyWithoutKafka(
  env: Readonly<Record<string, string | undefined>> = process.env,
): string | undefined {
  const required = env["MILLRACE_TEST_ALL"] === "1" || env["CI"] === "true";
  return required ? undefined : lookForJava()?.why;
}
