import { UsageError } from "@millrace/cli";

/**
 * Imports a module of packages that are not installed with the commands.
 *
 * @param packages what to install for it, each a name or name@range
 * @throws UsageError if one of them is not installed; another package that is missing is an error of the installation
 */
export async function importOptional(
  name: string,
  flag: string,
  packages: readonly string[],
  importing: (name: string) => Promise<unknown> = (name) => import(name),
): Promise<unknown> {
  try {
    return await importing(name);
  } catch (error) {
    if (!isMissing(error, packages)) throw error;
    throw new UsageError(
      `${flag} needs a package that is not installed; add it: npm install ${packages.join(" ")}`,
      { cause: error },
    );
  }
}

/** Node's message names the package that it looked for. */
function isMissing(error: unknown, packages: readonly string[]): boolean {
  return (
    error instanceof Error &&
    "code" in error &&
    error.code === "ERR_MODULE_NOT_FOUND" &&
    packages.some((each) =>
      error.message.startsWith(`Cannot find package '${each.replace(/(?<=.)@.*$/, "")}'`),
    )
  );
}
