import { expect, test } from "@jest/globals";
import { UsageError } from "@millrace/cli";
import { importOptional } from "../src/running/import-optional.ts";

/** Node's error for a package that is not installed. */
function missing(name: string): Error {
  const message = `Cannot find package '${name}' imported from /app/main.js`;
  return Object.assign(new Error(message), { code: "ERR_MODULE_NOT_FOUND" });
}

function load(error: Error): Promise<unknown> {
  return importOptional("@millrace/dashboard", "--http", ["@millrace/dashboard"], () =>
    Promise.reject(error),
  );
}

test("a package that is not installed is named with how to install it", async () => {
  const loading = load(missing("@millrace/dashboard"));
  await expect(loading).rejects.toThrow(UsageError);
  await expect(loading).rejects.toThrow(
    "--http needs a package that is not installed; add it: npm install @millrace/dashboard",
  );
});

test("what the package lacks itself is reported as it is", async () => {
  const error = missing("fastify");
  await expect(load(error)).rejects.toBe(error);
});
