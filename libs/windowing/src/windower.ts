import type { SessionWindower } from "./session-windower.ts";
import type { SlidingWindower } from "./sliding-windower.ts";
import type { TumblingWindower } from "./tumbling-windower.ts";

/** What cuts time into windows. */
export type Windower = TumblingWindower | SlidingWindower | SessionWindower;
