import type { ClickEvent } from "@millrace/event-schema";

/** The test's data of an event; the click has it in its `click_id` and time zone. */
export interface TestEvent {
  /** Counts from 0, so that sums show which event is missing or duplicated. */
  readonly number: number;
  /** Event time, ms since the epoch. */
  readonly at: number;
  readonly key: string;
  /** When it was published, ms since the epoch; absent where no window asks for it. */
  readonly published?: number;
}

/** A click as one line of JSON. */
export function lineOf({ number, at, key, published }: TestEvent): string {
  const click: ClickEvent = {
    click_id: [number, at, published].filter((part) => part !== undefined).join("@"),
    os: "Android 14",
    os_name: "Android",
    os_timezone: key,
    device_type: "Mobile",
    device_is_mobile: true,
    user_custom_id: "user",
    user_domain_id: "user",
  };
  return JSON.stringify(click);
}

/** The inverse of {@link lineOf}. */
export function eventOf({ click_id, os_timezone }: ClickEvent): TestEvent {
  const [number, at, published] = click_id.split("@");
  const event = { number: Number(number), at: Number(at), key: os_timezone };
  return published === undefined ? event : { ...event, published: Number(published) };
}
