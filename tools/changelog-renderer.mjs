import { readFileSync } from "node:fs";

const UNRELEASED = "## [Unreleased]\n";

/**
 * The changelog for `nx release`: what is under "Unreleased" becomes the section of the version. Nx' own renderer lists
 * commits, but these entries are written for users.
 */
export default class ChangelogRenderer {
  #version;

  /** @param {{ changelogEntryVersion: string }} config */
  constructor({ changelogEntryVersion }) {
    this.#version = changelogEntryVersion;
  }

  /** The whole file. */
  render() {
    // Otherwise Nx puts what is rendered above the title.
    if (!process.argv.includes("--replace-existing-contents"))
      throw new Error(
        `a release has two commands: nx release version ${this.#version}, then ` +
          `nx release changelog ${this.#version} --replace-existing-contents`,
      );
    const [before, notes, ...more] = readFileSync("CHANGELOG.md", "utf8").split(UNRELEASED);
    if (notes === undefined || more.length > 0)
      throw new Error(
        'CHANGELOG.md must have one heading "## [Unreleased]", with the notes for this release',
      );
    const today = new Date().toISOString().slice(0, 10);
    return `${before}${UNRELEASED}\n## [${this.#version}] - ${today}\n${notes}`;
  }
}
