import type { FrameCodec, FrameHeader } from "../../src/delivery/frame-codec.ts";

const HEADER = /^#frame (\S+) (\d+) (\d+) (\d+)$/;

/** A frame codec as plain as can be; what starts with `#` and is no frame is malformed. */
export const FRAMES: FrameCodec = {
  encodeFrame: ({ producer, first, publishedAtMs, lines }) =>
    [`#frame ${producer} ${first} ${lines.length} ${publishedAtMs}`, ...lines.map(String)].join("\n"),
  decodeFrame(message) {
    const [head = "", ...lines] = Buffer.from(message).toString().split("\n");
    if (!head.startsWith("#")) return { kind: "bare", lines: [head, ...lines] };
    const [, producer = "", first, count, publishedAtMs] = HEADER.exec(head) ?? [];
    const header = {
      producer,
      first: Number(first),
      count: Number(count),
      publishedAtMs: Number(publishedAtMs),
    };
    return lines.length === header.count
      ? { kind: "frame", ...header, lines }
      : { kind: "malformed", reason: { code: "bad-frame", message: `no frame: ${head}` } };
  },
};

/** The frame of `lines`, by producer `p` unless told otherwise. */
export function frameOf(
  first: number,
  lines: readonly string[],
  header: Partial<Pick<FrameHeader, "producer" | "publishedAtMs">> = {},
): string {
  return String(FRAMES.encodeFrame({ producer: "p", publishedAtMs: 1_000, ...header, first, lines }));
}

/** The frames that carry numbers, as `decodeFrame` reads them. */
export function headerOf(message: Uint8Array): FrameHeader {
  const decoded = FRAMES.decodeFrame(message);
  if (decoded.kind !== "frame") throw new Error(`no frame: ${Buffer.from(message).toString()}`);
  const { producer, first, count, publishedAtMs } = decoded;
  return { producer, first, count, publishedAtMs };
}
