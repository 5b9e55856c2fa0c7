import type { FrameCodec, FrameHeader } from "../../src/delivery/frame-codec.ts";

const HEADER = /^#frame (\S+) (\d+) (\d+) (\d+)((?: \w+=[^ ]+)*)$/;

/** A frame codec as plain as can be; what starts with `#` and is no frame is malformed. */
export const FRAMES: FrameCodec = {
  encodeFrame: ({ producer, first, publishedAtMs, lines, attributes = {} }) =>
    [
      [`#frame ${producer} ${first} ${lines.length} ${publishedAtMs}`, ...pairs(attributes)].join(" "),
      ...lines.map(String),
    ].join("\n"),
  decodeFrame(message) {
    const [head = "", ...lines] = Buffer.from(message).toString().split("\n");
    if (!head.startsWith("#")) return { kind: "bare", lines: [head, ...lines] };
    const [, producer = "", first, count, publishedAtMs, attributes = ""] = HEADER.exec(head) ?? [];
    const header = {
      producer,
      first: Number(first),
      count: Number(count),
      publishedAtMs: Number(publishedAtMs),
      ...(attributes === ""
        ? {}
        : { attributes: Object.fromEntries(attributes.slice(1).split(" ").map(pair)) }),
    };
    return lines.length === header.count
      ? { kind: "frame", ...header, lines }
      : { kind: "malformed", reason: { code: "bad-frame", message: `no frame: ${head}` } };
  },
};

function pairs(attributes: Readonly<Record<string, string>>): string[] {
  return Object.entries(attributes).map(([key, value]) => `${key}=${value}`);
}

function pair(text: string): readonly [key: string, value: string] {
  const [key = "", value = ""] = text.split("=");
  return [key, value];
}

/** The frame of `lines`, by producer `p` unless told otherwise. */
export function frameOf(
  first: number,
  lines: readonly string[],
  header: Partial<Pick<FrameHeader, "producer" | "publishedAtMs" | "attributes">> = {},
): string {
  return String(FRAMES.encodeFrame({ producer: "p", publishedAtMs: 1_000, ...header, first, lines }));
}

/** The frames that carry numbers, as `decodeFrame` reads them. */
export function headerOf(message: Uint8Array): FrameHeader {
  const decoded = FRAMES.decodeFrame(message);
  if (decoded.kind !== "frame") throw new Error(`no frame: ${Buffer.from(message).toString()}`);
  const { kind: _kind, lines: _lines, ...header } = decoded;
  return header;
}
