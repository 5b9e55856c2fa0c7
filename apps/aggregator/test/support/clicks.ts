import type { ClickEvent } from "@millrace/event-schema";

/** A click; only what a test cares about need be said. */
export function click(fields: Partial<ClickEvent> = {}): ClickEvent {
  return {
    click_id: "c-1",
    os: "Android 14",
    os_name: "Android",
    os_timezone: "Europe/Madrid",
    device_type: "Mobile",
    device_is_mobile: true,
    user_custom_id: "ann@example.com",
    user_domain_id: "d-1",
    ...fields,
  };
}

/** The same as a line. */
export function clickLine(fields: Partial<ClickEvent> = {}): string {
  return JSON.stringify(click(fields));
}
