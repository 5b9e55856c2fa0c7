/** Length in UTF-8, which is what Redis and the socket carry. */
export function bytesOf(payload: string | Uint8Array): number {
  return typeof payload === "string" ? Buffer.byteLength(payload) : payload.length;
}
