import { cp, mkdir, mkdtemp, readFile, readdir, readlink, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { mutate } from "./mutant.ts";
import type { Mutant } from "./mutant.ts";

const SCOPE = "@millrace";
/** Build output, and packages from npm. */
const NOT_COPIED = new Set([".git", ".nx", ".cache", "node_modules", "dist", "out-tsc", "coverage"]);

/** A copy of the workspace's sources in a temporary directory, where they can be changed; npm packages are linked. */
export class WorkspaceCopy {
  readonly path: string;

  static async make(root: string): Promise<WorkspaceCopy> {
    const path = await mkdtemp(join(tmpdir(), "millrace-mutants-"));
    const copy = new WorkspaceCopy(path);
    try {
      await cp(root, path, { recursive: true, filter: (from) => !NOT_COPIED.has(basename(from)) });
      await linkPackages(join(root, "node_modules"), join(path, "node_modules"));
    } catch (error) {
      await copy.remove();
      throw error;
    }
    return copy;
  }

  private constructor(path: string) {
    this.path = path;
  }

  /** Calls `use` while the mutant's change is in place. @throws RangeError as {@link mutate} */
  async withMutant<T>(mutant: Mutant, use: () => Promise<T>): Promise<T> {
    const file = join(this.path, mutant.file);
    const original = await readFile(file, "utf8");
    await writeFile(file, mutate(original, mutant));
    try {
      return await use();
    } finally {
      await writeFile(file, original);
    }
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function linkPackages(from: string, to: string): Promise<void> {
  await mkdir(to);
  for (const name of await readdir(from)) {
    if (name !== SCOPE) await symlink(join(from, name), join(to, name));
  }
  // Links to the workspace's own packages are relative, and so point to the copied sources.
  await mkdir(join(to, SCOPE));
  for (const name of await readdir(join(from, SCOPE))) {
    await symlink(await readlink(join(from, SCOPE, name)), join(to, SCOPE, name));
  }
}
