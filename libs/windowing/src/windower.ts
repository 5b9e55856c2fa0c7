import type { CustomWindower } from "./custom-windower.ts";
import type { SessionWindower } from "./session-windower.ts";
import type { SlidingWindower } from "./sliding-windower.ts";
import type { TumblingWindower } from "./tumbling-windower.ts";

/** The windowers of this library. */
export type BuiltInWindower = TumblingWindower | SlidingWindower | SessionWindower;

/** What cuts time into windows. */
export type Windower = BuiltInWindower | CustomWindower;
