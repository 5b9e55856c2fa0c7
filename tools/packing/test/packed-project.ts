import { execFile } from "node:child_process";
import { existsSync, linkSync, mkdirSync, readdirSync, readlinkSync, symlinkSync } from "node:fs";
import { cp, lstat, mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

const WORKSPACE = join(import.meta.dirname, "../../..");

/** Packages of the workspace that have a compiler: TypeScript 7, which builds the workspace, and 6. */
export type Compiler = "@typescript/native" | "typescript";

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly private?: boolean;
  readonly exports: Readonly<Record<string, unknown>>;
  readonly dependencies?: Readonly<Record<string, string>>;
}

export interface PublishedPackage {
  readonly name: string;
  /** Its folder in the workspace. */
  readonly folder: string;
  /** The name of the file that `npm pack` makes. */
  readonly tarball: string;
  /** What users import: the package, and its subpaths. */
  readonly entries: readonly string[];
}

/** Every lib and app that is not private. */
export async function publishedPackages(): Promise<readonly PublishedPackage[]> {
  const folders = await Promise.all(
    ["apps", "libs"].map(async (group) =>
      (await readdir(join(WORKSPACE, group))).map((name) => join(WORKSPACE, group, name)),
    ),
  );
  const all = await Promise.all(
    folders.flat().map(async (folder) => ({ folder, manifest: await manifestIn(folder) })),
  );
  return all
    .filter(({ manifest }) => manifest.private !== true)
    .map(({ folder, manifest: { name, version, exports } }) => ({
      name,
      folder,
      tarball: `${name.replace("@", "").replace("/", "-")}-${version}.tgz`,
      entries: Object.keys(exports)
        .filter((path) => path !== "./package.json")
        .map((path) => join(name, path)),
    }));
}

/** How a program runs in the project. */
export interface RunSettings {
  /** Its working directory, from the project's folder. @default that folder */
  readonly subfolder?: string;
  /** Environment variables besides those of the test. */
  readonly env?: Readonly<Record<string, string>>;
}

/** An empty project outside the workspace, into which the tarballs of all packages are installed by one command. */
export class PackedProject {
  /** Where the project is. */
  readonly folder: string;
  /** Where the tarballs are. */
  readonly tarballs: string;

  /** A copy of its packages as npm has installed them; tests change the project's own. */
  readonly #installed: string;
  readonly #packages: ReadonlySet<string>;

  private constructor(root: string, packages: readonly PublishedPackage[]) {
    this.#packages = new Set(packages.map(({ name }) => name));
    this.folder = join(root, "project");
    this.tarballs = root;
    this.#installed = join(root, "installed");
  }

  /** @param files a folder whose files the project gets */
  static async create(packages: readonly PublishedPackage[], files: string): Promise<PackedProject> {
    const unbuilt = packages.find(({ folder }) => !existsSync(join(folder, "dist/index.js")));
    if (unbuilt) throw new Error(`${unbuilt.name} is not built: run npx nx run-many -t build`);

    const project = new PackedProject(await mkdtemp(join(tmpdir(), "millrace-packed-")), packages);
    await cp(files, project.folder, { recursive: true });
    const workspace = await manifestIn<{ devDependencies: Readonly<Record<string, string>> }>(WORKSPACE);
    await project.write(
      "package.json",
      JSON.stringify({
        type: "module",
        private: true,
        // A version that npm has here already. Only what a package declares is installed.
        overrides: { "@types/node": workspace.devDependencies["@types/node"] },
      }),
    );
    await execute(
      "npm",
      ["pack", "--pack-destination", project.tarballs, ...packages.map((p) => p.folder)],
      "/",
    );
    await project.#install(packages);
    copyByLinks(join(project.folder, "node_modules"), project.#installed);
    return project;
  }

  /**
   * Installs what the package.json in a folder beside the project names. npm finds the packages of the project there: it
   * removes those that are not needed, and unpacks only those that are missing.
   *
   * @param packages those to install whatever version the package.json names
   */
  async installBeside(subfolder: string, packages: readonly PublishedPackage[] = []): Promise<void> {
    copyByLinks(this.#installed, join(this.folder, subfolder, "node_modules"));
    await this.#install(packages, { subfolder });
  }

  async #install(packages: readonly PublishedPackage[], settings?: RunSettings): Promise<void> {
    const tarballs = packages.map(({ tarball }) => join(this.tarballs, tarball));
    const args = ["install", "--prefer-offline", "--no-audit", "--no-fund", ...tarballs];
    await this.run("npm", args, settings);
  }

  /** Runs a program in the project and returns its standard output. Fails with all of its output. */
  run(program: string, args: readonly string[], { subfolder = ".", env }: RunSettings = {}): Promise<string> {
    return execute(program, args, join(this.folder, subfolder), env);
  }

  /** Runs a script of a package.json in the project as npm does, without the time that npm takes to start. */
  async runScript(name: string, settings: RunSettings & { readonly subfolder: string }): Promise<string> {
    const { scripts } = await manifestIn(join(this.folder, settings.subfolder));
    const script = scripts?.[name];
    if (script === undefined) throw new Error(`${settings.subfolder} has no script ${name}`);
    const PATH = [join(this.folder, "node_modules/.bin"), process.env["PATH"]].join(delimiter);
    return this.run("sh", ["-c", script], { ...settings, env: { ...settings.env, PATH } });
  }

  /**
   * Compiles with a tsconfig.json in the project, and checks the declarations of packages, too, without TypeScript's own.
   * Fails with what the compiler reports.
   */
  async compile(config: string, compiler: Compiler = "@typescript/native"): Promise<void> {
    const tsc = join(WORKSPACE, "node_modules", compiler, "bin/tsc");
    await this.run(process.execPath, [tsc, "-p", config, "--skipDefaultLibCheck", "--pretty", "false"]);
  }

  /** From then on compilers do not check the declarations of a package, or of all packages but those under test. */
  async leaveUnchecked(which: "typebox" | "others", subfolder = "."): Promise<void> {
    const folder = join(this.folder, subfolder, "node_modules");
    const others = (await packagesIn(folder)).filter((name) => !this.#packages.has(name));
    for (const name of which === "others" ? others : [which]) {
      const files = await readdir(join(folder, name), { recursive: true });
      for (const file of files.filter((each) => /\.d\.[cm]?ts$/.test(each))) {
        const path = join(folder, name, file);
        const text = await readFile(path, "utf8");
        // A new file: the old one is in copies, too.
        await rm(path);
        await writeFile(path, `// @ts-nocheck\n${text}`);
      }
    }
  }

  /** Puts a package of the workspace into the project, as if it were installed there. */
  async link(name: string): Promise<void> {
    const path = join(this.folder, "node_modules", name);
    if (!existsSync(path)) await symlink(join(WORKSPACE, "node_modules", name), path);
  }

  /** The same for all packages of a scope. */
  async linkAll(scope: string): Promise<void> {
    await mkdir(join(this.folder, "node_modules", scope), { recursive: true });
    const names = await readdir(join(WORKSPACE, "node_modules", scope));
    for (const name of names) await this.link(join(scope, name));
  }

  /** Copies a folder of the workspace to a place in the project, whose packages its files then find. */
  async copy(folder: string, to: string): Promise<void> {
    await cp(join(WORKSPACE, folder), join(this.folder, to), { recursive: true });
  }

  /** The text of a file in the project. */
  read(file: string): Promise<string> {
    return readFile(join(this.folder, file), "utf8");
  }

  async write(file: string, text: string): Promise<void> {
    await writeFile(join(this.folder, file), text);
  }

  /** Bytes on disk that a package takes, with all that it depends on. */
  async sizeOf(name: string): Promise<number> {
    const folders = new Set<string>();
    const add = async (dependency: string, dependent: string): Promise<void> => {
      const nested = join(dependent, "node_modules", dependency);
      const folder = existsSync(nested) ? nested : join(this.folder, "node_modules", dependency);
      if (folders.has(folder)) return;
      folders.add(folder);
      const { dependencies = {} } = await manifestIn(folder);
      for (const each of Object.keys(dependencies)) await add(each, folder);
    };
    await add(name, this.folder);
    const sizes = await Promise.all([...folders].map(bytesOnDisk));
    return sizes.reduce((sum, size) => sum + size, 0);
  }

  /** Files of an installed package, by their paths in it. */
  async filesOf(name: string): Promise<readonly string[]> {
    return readdir(join(this.folder, "node_modules", name), { recursive: true });
  }

  async remove(): Promise<void> {
    await rm(this.tarballs, { recursive: true });
  }
}

async function manifestIn<M = Manifest>(folder: string): Promise<M> {
  return JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as M;
}

async function execute(
  program: string,
  args: readonly string[],
  cwd: string,
  more: Readonly<Record<string, string>> = {},
): Promise<string> {
  try {
    const env = { ...process.env, NODE_OPTIONS: "--disable-warning=ExperimentalWarning", ...more };
    return (await promisify(execFile)(program, args, { cwd, env })).stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${program} ${args.join(" ")} failed\n${stdout}${stderr}`, { cause: error });
  }
}

/** Copies a folder, whose files are then in both. Takes a quarter of the time of a copy. */
function copyByLinks(folder: string, copy: string): void {
  mkdirSync(copy);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const [from, to] = [join(folder, entry.name), join(copy, entry.name)];
    if (entry.isDirectory()) copyByLinks(from, to);
    else if (entry.isSymbolicLink()) symlinkSync(readlinkSync(from), to);
    else linkSync(from, to);
  }
}

/** Names of the packages that are in a `node_modules`, without those that are only linked there. */
async function packagesIn(folder: string): Promise<readonly string[]> {
  const entries = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isDirectory());
  const names = entries.map(async ({ name }) => {
    if (!name.startsWith("@")) return [name];
    return (await packagesIn(join(folder, name))).map((inScope) => `${name}/${inScope}`);
  });
  return (await Promise.all(names)).flat();
}

/** Blocks, as `du` counts them, without packages nested in it. */
async function bytesOnDisk(folder: string): Promise<number> {
  const own = (await readdir(folder)).filter((name) => name !== "node_modules");
  const sizes = await Promise.all(
    own.map(async (name) => {
      const path = join(folder, name);
      const found = await lstat(path);
      return found.blocks * 512 + (found.isDirectory() ? await bytesOnDisk(path) : 0);
    }),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
