import { statSync } from "node:fs";
import { cp, mkdir, readFile, readdir, rename, writeFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const TEMPLATE = fileURLToPath(new URL("../template", import.meta.url));
/** The name of the project in the template's files. */
const TEMPLATE_NAME = "my-flow";
/** What may be in the folder already. */
const HARMLESS = new Set([".git", ".DS_Store"]);

/** A project that was created. */
export interface CreatedProject {
  /** Its folder, as an absolute path. */
  readonly folder: string;
  /** The name of its package. */
  readonly name: string;
}

/** The folder of a new project is not empty, or is no folder. */
export class CreateProjectError extends Error {
  static readonly code = "MILLRACE_CREATE_FOLDER_TAKEN";
  readonly code = CreateProjectError.code;
  override readonly name = "CreateProjectError";
}

/**
 * Writes the files of a new project into a folder, which is made if it is missing. Nothing is installed.
 *
 * @param path from the working directory; the project has the name of the folder
 * @throws CreateProjectError if the folder has files; then nothing was written
 */
export async function createProject(path: string): Promise<CreatedProject> {
  const folder = resolve(path);
  const name = packageName(basename(folder));
  await requireEmpty(folder);
  await mkdir(folder, { recursive: true });
  await cp(TEMPLATE, folder, { recursive: true });
  // npm packs no file of the name .gitignore.
  await rename(join(folder, "gitignore"), join(folder, ".gitignore"));
  const version = await ownVersion();
  for (const file of ["package.json", "README.md"]) {
    const text = await readFile(join(folder, file), "utf8");
    const filled = text
      .replaceAll(TEMPLATE_NAME, name)
      .replace(/"millrace": ".*"/, `"millrace": "^${version}"`);
    await writeFile(join(folder, file), filled);
  }
  return { folder, name };
}

async function requireEmpty(folder: string): Promise<void> {
  const there = statSync(folder, { throwIfNoEntry: false });
  if (there === undefined) return;
  if (!there.isDirectory()) {
    throw new CreateProjectError(`${folder} is a file: choose another name for the project`);
  }
  const file = (await readdir(folder)).find((name) => !HARMLESS.has(name));
  if (file === undefined) return;
  throw new CreateProjectError(
    `${folder} is not empty, it has ${file}: choose another name for the project, or empty the folder`,
  );
}

/** The nearest name that npm accepts. */
function packageName(folder: string): string {
  const name = folder
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, "-")
    .replace(/^[._-]+|-+$/g, "");
  return name === "" ? TEMPLATE_NAME : name;
}

/** The packages have one version. */
async function ownVersion(): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(new URL("../package.json", import.meta.url), "utf8"));
  if (typeof manifest === "object" && manifest !== null && "version" in manifest)
    return String(manifest.version);
  throw new Error("the package of create-millrace has no version");
}
