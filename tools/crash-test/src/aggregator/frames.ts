import { decodeFrame, encodeFrame } from "@millrace/event-schema";
import type { FrameCodec } from "@millrace/redis-source";

/** Reads frames with their numbers. */
export const FRAMES: FrameCodec = { decodeFrame, encodeFrame };

/** As if events had no numbers: what a producer sends twice cannot be recognised. */
export const FRAMES_WITHOUT_NUMBERS: FrameCodec = {
  encodeFrame,
  decodeFrame: (message) => {
    const decoded = decodeFrame(message);
    return decoded.kind === "frame" ? { kind: "bare", lines: decoded.lines } : decoded;
  },
};
