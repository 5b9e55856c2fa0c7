/**
 * Where the browser for the tests is. As a program it installs one where everything has to be tested (CI=true, or
 * MILLRACE_TEST_ALL=1) and none is there; with `--where` it prints where it is.
 */
import { spawnSync } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import process from "node:process";

const NAMES = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome"];
const FOLDERS = ["/usr/bin", "/usr/local/bin", "/snap/bin"];
const MAC_PROGRAMS = [
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];
const WINDOWS_PROGRAMS = ["Google\\Chrome\\Application\\chrome.exe", "Chromium\\Application\\chrome.exe"];

const APT_PACKAGE = "chromium";
const APT_SCRIPT = `
  export DEBIAN_FRONTEND=noninteractive
  apt-get -qq update || echo "chromium: continuing with the existing package lists"
  exec apt-get -qq -y -o DPkg::Lock::Timeout=120 -o Dpkg::Use-Pty=0 install --no-install-recommends ${APT_PACKAGE}
`;

/** What to do where there is no browser. */
export const REMEDY =
  "install Chromium (Debian: apt-get install chromium) or Chrome, or set MILLRACE_CHROMIUM to its program";

/** Whether a missing browser is a failure. */
export const REQUIRED = process.env["CI"] === "true" || process.env["MILLRACE_TEST_ALL"] === "1";

/**
 * The program that MILLRACE_CHROMIUM names, else Chromium or Chrome on PATH or where it usually is.
 *
 * @param {Readonly<Record<string, string | undefined>>} env
 * @returns {string | undefined}
 * @throws Error if MILLRACE_CHROMIUM names nothing that can be run
 */
export function findChromium(env = process.env) {
  const named = env["MILLRACE_CHROMIUM"];
  const folders = [...(env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== ""), ...FOLDERS];
  if (named) {
    const found = isAbsolute(named) ? [named] : folders.map((folder) => join(folder, named));
    const program = found.find(isExecutable);
    if (program === undefined) {
      throw new Error(`MILLRACE_CHROMIUM names ${named}, which is not an executable file; ${REMEDY}`);
    }
    return program;
  }
  const windows = ["ProgramFiles", "ProgramFiles(x86)", "LOCALAPPDATA"].flatMap((name) => env[name] ?? []);
  return [
    ...NAMES.flatMap((name) => folders.map((folder) => join(folder, name))),
    ...MAC_PROGRAMS,
    ...windows.flatMap((folder) => WINDOWS_PROGRAMS.map((program) => join(folder, program))),
  ].find(isExecutable);
}

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Installs Chromium if apt-get is there. The caller looks again. */
function install() {
  if (spawnSync("sh", ["-c", "command -v apt-get"]).status !== 0) return;
  const root = process.getuid?.() === 0;
  const [command = "sh", ...args] = [...(root ? [] : ["sudo", "-n"]), "sh", "-c", APT_SCRIPT];
  console.error(
    `chromium: no browser here; installing one: ${root ? "" : "sudo "}apt-get install ${APT_PACKAGE}`,
  );
  spawnSync(command, args, { stdio: ["ignore", 2, 2] });
}

if (process.argv[1] === import.meta.filename) {
  if (process.argv[2] === "--where") console.log(findChromium() ?? "not found");
  else if (REQUIRED && findChromium() === undefined) {
    install();
    if (findChromium() === undefined) {
      console.error(`chromium: the tests of the page need a browser, and none could be installed: ${REMEDY}`);
      process.exitCode = 1;
    }
  }
}
