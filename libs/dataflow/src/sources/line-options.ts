/** Bounds of reading lines. */
export interface LineOptions {
  /** Maximum length of a line, in bytes. A longer line is refused; only its head is kept. @default 1048576 */
  readonly maxLineBytes?: number;
  /** Bytes read at a time: the lines in them are one batch. @default 262144 */
  readonly chunkBytes?: number;
}

export const DEFAULT_LINE_OPTIONS = {
  maxLineBytes: 1_048_576,
  chunkBytes: 262_144,
} as const satisfies LineOptions;
