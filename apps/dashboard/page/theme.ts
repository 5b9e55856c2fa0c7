import type { Theme } from "./state/model.ts";

const KEPT = "millrace-theme";
const DARK = window.matchMedia("(prefers-color-scheme: dark)");

/** What the reader chose on this page before; else what the system prefers. */
export function preferredTheme(): Theme {
  return keptTheme() ?? (DARK.matches ? "dark" : "light");
}

export function saveTheme(theme: Theme): void {
  try {
    localStorage.setItem(KEPT, theme);
  } catch {
    // Storage may be off; the choice then lasts until the page is left.
  }
}

/** Follows the system until the reader has chosen. */
export function watchTheme(change: (theme: Theme) => void): void {
  DARK.addEventListener("change", () => {
    change(preferredTheme());
  });
}

function keptTheme(): Theme | undefined {
  try {
    const kept = localStorage.getItem(KEPT);
    return kept === "light" || kept === "dark" ? kept : undefined;
  } catch {
    return undefined;
  }
}
