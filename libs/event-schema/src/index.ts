export { CLICK_TRANSPORT, clickEventSchema } from "./click-event.ts";
export { clickCodec, createClickCodec, createClickProjection } from "./click-codec.ts";

export type { ClickEvent } from "./click-event.ts";
