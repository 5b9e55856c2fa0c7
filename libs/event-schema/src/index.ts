export { clickEventSchema } from "./click-event.ts";
export { clickCodec, createClickCodec, createClickProjection } from "./click-codec.ts";
export { CLICK_TRANSPORT } from "./transport.ts";

export type { ClickEvent } from "./click-event.ts";
