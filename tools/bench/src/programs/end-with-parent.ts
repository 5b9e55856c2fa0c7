/** Ends this program with the one that started it, however that ends. */
export function endWithParent(): void {
  process.on("disconnect", () => process.exit());
  process.on("SIGTERM", () => process.exit());
}
