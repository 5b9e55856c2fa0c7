/**
 * Checks comments, messages and pages for words that are not plain English (`docs/glossary.md` has the terms). Each entry is
 * a word that was used too often, with what to write instead.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

const WORDS = [
  [/\b(?:told|tells?|telling)\b/i, "say, log, report or return"],
  [
    /\b(?:nobody|anybody|somebody|everybody|whoever)\b/i,
    "name who: the caller, a reader, another program, no task",
  ],
  [/\bmeanwhile\b/i, "in between, or in the same time"],
  [/\b(?:dear|dearer)\b/i, "expensive"],
  [/\bbe it\b/i, "or"],
  [/\bcannot mean\b/i, "invalid"],
  [/\bunder way\b/i, "in-flight, running or in progress"],
  [/\bin one (?:go|stroke)\b/i, "at once, or in one command"],
  [/\bof (?:one's|its) own accord\b/i, "by itself"],
  [/\b(?:goes|went|going) on\b/i, "continue, or resume"],
  [/\b(?:afresh|in vain|one's own)\b/i, "again, without success, or custom"],
  // Right for a lag (behind the latest timestamp) and for NAT; wrong for time and order.
  [/\b(?:comes?|goes?|sent|ordered|queued|waits?) behind\b/i, "after"],
];

/** Files that are not checked: the licence, the lock file, past changes, data, and this list. */
const EXEMPT = /^(?:LICENSE|package-lock\.json|tools\/check-words\.mjs|CHANGELOG\.md|data\/)/;

const files = execFileSync("git", ["ls-files", "-z", "*.ts", "*.tsx", "*.mjs", "*.md", "*.lua"], {
  encoding: "utf8",
})
  .split("\0")
  .filter((file) => file !== "" && !EXEMPT.test(file));
let found = 0;
for (const file of files) {
  readFileSync(file, "utf8")
    .split("\n")
    .forEach((line, i) => {
      for (const [word, instead] of WORDS) {
        const match = word.exec(line);
        if (match === null) continue;
        found += 1;
        console.error(`${file}:${i + 1}: "${match[0]}": write ${instead}`);
      }
    });
}
console.error(`words: ${files.length} files, ${found} problems`);
process.exit(found === 0 ? 0 : 1);
