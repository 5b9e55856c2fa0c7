import type { ClickEvent } from "@millrace/event-schema";
import { count, distinct } from "@millrace/windowing";
import type { ClosingFold, Json } from "@millrace/windowing";

/** What is to be known of a click. */
type Click = Pick<ClickEvent, "click_id" | "user_custom_id" | "device_is_mobile">;

/** Who clicked: in all, and on mobile devices. */
export interface Audience {
  readonly events: number;
  readonly mobile_events: number;
  /** Different clicks: one that was sent again counts once. */
  readonly distinct_clicks: number;
  readonly distinct_users: number;
  /** Different users with an event from a mobile device. */
  readonly distinct_mobile_users: number;
}

/** The accumulator. */
interface Crowd {
  readonly events: number;
  readonly mobileEvents: number;
  readonly clicks: Set<string>;
  readonly users: Set<string>;
  readonly mobileUsers: Set<string>;
}

// One fold of many parts: each part is kept as the library's own fold for it does.
const total = count();
const clicks = distinct((click: Click) => click.click_id);
const users = distinct((click: Click) => click.user_custom_id);

/** Counts events, clicks and users in one pass. */
export const audienceFold: ClosingFold<Click, Crowd, Audience> = {
  create: () => ({
    events: 0,
    mobileEvents: 0,
    clicks: new Set(),
    users: new Set(),
    mobileUsers: new Set(),
  }),
  add: (crowd, click, timestamp) => ({
    events: crowd.events + 1,
    mobileEvents: crowd.mobileEvents + Number(click.device_is_mobile),
    clicks: clicks.add(crowd.clicks, click, timestamp),
    users: users.add(crowd.users, click, timestamp),
    mobileUsers: click.device_is_mobile ? users.add(crowd.mobileUsers, click, timestamp) : crowd.mobileUsers,
  }),
  merge: (earlier, later) => ({
    events: earlier.events + later.events,
    mobileEvents: earlier.mobileEvents + later.mobileEvents,
    clicks: clicks.merge(earlier.clicks, later.clicks),
    users: users.merge(earlier.users, later.users),
    mobileUsers: users.merge(earlier.mobileUsers, later.mobileUsers),
  }),
  result: (crowd) => ({
    events: crowd.events,
    mobile_events: crowd.mobileEvents,
    distinct_clicks: crowd.clicks.size,
    distinct_users: crowd.users.size,
    distinct_mobile_users: crowd.mobileUsers.size,
  }),
  snapshot: (crowd) => [
    crowd.events,
    crowd.mobileEvents,
    clicks.snapshot(crowd.clicks),
    users.snapshot(crowd.users),
    users.snapshot(crowd.mobileUsers),
  ],
  restore(state) {
    const [events = null, mobileEvents = null, ofClicks = null, ofUsers = null, ofMobileUsers = null] =
      listOf(state);
    return {
      events: total.restore(events),
      mobileEvents: total.restore(mobileEvents),
      clicks: clicks.restore(ofClicks),
      users: users.restore(ofUsers),
      mobileUsers: users.restore(ofMobileUsers),
    };
  },
};

/** Of what is no list nothing is left, which the parts refuse. */
function listOf(state: Json): readonly Json[] {
  return state instanceof Array ? state : [];
}
