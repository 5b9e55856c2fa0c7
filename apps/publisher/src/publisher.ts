import { join } from "node:path";
import type { PublishProgram } from "@millrace/command";
import { CLICK_TRANSPORT } from "@millrace/event-schema/transport";

/** The publisher of clicks. */
export const PUBLISHER: PublishProgram = {
  title: "publisher",
  transport: CLICK_TRANSPORT,
  file: {
    // The relative path is the same from `src` and from `dist`.
    path: join(import.meta.dirname, "../../../data/events.jsonl"),
    description: "data/events.jsonl of the project",
  },
  idField: "click_id",
};
