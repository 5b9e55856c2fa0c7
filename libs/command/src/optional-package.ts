import { UsageError } from "@millrace/cli";

/**
 * Loads a package that is not installed with the commands.
 *
 * @param option that needs it
 * @param packages what has to be installed for it
 * @throws UsageError if it is not installed
 */
export async function loadPackage(name: string, option: string, packages: string): Promise<unknown> {
  try {
    const loaded: unknown = await import(name);
    return loaded;
  } catch (error) {
    if (!isNotFound(error)) throw error;
    throw new UsageError(`${option} needs a package that is not installed; add it: npm install ${packages}`, {
      cause: error,
    });
  }
}

function isNotFound(error: unknown): boolean {
  return (
    typeof error === "object" && error !== null && "code" in error && error.code === "ERR_MODULE_NOT_FOUND"
  );
}
