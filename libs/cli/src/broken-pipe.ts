/** Whether an error, or what caused it, is that nobody reads a pipe any more (`| head` has seen enough). */
export function isBrokenPipe(error: unknown): boolean {
  for (let each = error; each instanceof Error; each = each.cause) {
    if ("code" in each && each.code === "EPIPE") return true;
  }
  return false;
}
