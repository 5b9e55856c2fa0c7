/**
 * Writes the JavaScript of the published libs, `tsc` only their declarations: a file for each entry of a package, a file for
 * what a late import loads, and files for what those share. A program that loads hundreds of files starts a third slower.
 *
 * `node tools/bundle.mjs [folder of a lib, ...]`; without one, all libs.
 */
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { build } from "esbuild";

const root = join(import.meta.dirname, "..");
const given = process.argv.slice(2);
const libs = readdirSync(join(root, "libs")).map((name) => join("libs", name));
// What another branch has built lies there without its package.
const folders = given.length > 0 ? given : libs.filter((lib) => existsSync(join(root, lib, "package.json")));
await Promise.all(folders.map((folder) => bundle(join(root, folder))));

async function bundle(folder) {
  const { exports, bin = {} } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const built = [...Object.values(exports).map((entry) => entry.default), ...Object.values(bin)];
  const { outputFiles } = await build({
    absWorkingDir: folder,
    entryPoints: built
      .filter((path) => path !== undefined)
      .map((path) => path.replace("/dist/", "/src/").replace(/\.js$/, ".ts")),
    outbase: "src",
    outdir: "dist",
    tsconfig: "tsconfig.build.json",
    bundle: true,
    splitting: true,
    // Other packages, Millrace's too, stay what users have installed: a class must not exist twice.
    packages: "external",
    format: "esm",
    platform: "node",
    target: "node20.19",
    chunkNames: "[name]-[hash]",
    write: false,
  });
  for (const { path, text: bundled } of outputFiles) {
    const text = withClassNames(bundled);
    mkdirSync(dirname(path), { recursive: true });
    // Programs may be loading a file that stays the same.
    if (!existsSync(path) || readFileSync(path, "utf8") !== text) writeFileSync(path, text);
  }
  const written = new Set(outputFiles.map(({ path }) => path));
  for (const name of readdirSync(join(folder, "dist"), { recursive: true })) {
    const path = join(folder, "dist", name);
    if (path.endsWith(".js") && !written.has(path)) rmSync(path);
  }
}

/**
 * esbuild writes a class that mentions itself as `var X = class _X`, and an error would be called `_X`. Its own option
 * `keepNames` also names each closure, whenever one is made.
 */
function withClassNames(text) {
  const names = Array.from(text.matchAll(/^var (\w+) = class _\1\b/gm), ([, name]) => name);
  return names.reduce((renamed, name) => renamed.replaceAll(new RegExp(`\\b_${name}\\b`, "g"), name), text);
}
