import { clickEventSchema, type ClickEvent } from "./click-event.ts";

/** What a codec does with the fields that a click does not have. */
export type UnknownFields = "strip" | "keep" | "refuse";

const FIELD_COUNT = Object.keys(clickEventSchema.shape).length;

/** For each policy: the event of a parsed click, or undefined if the click is refused. */
export const applyUnknownFields: Readonly<
  Record<UnknownFields, (click: ClickEvent) => ClickEvent | undefined>
> = {
  strip,
  keep: withoutProto,
  refuse: (click) => (Object.keys(click).length === FIELD_COUNT ? click : undefined),
};

/** A literal, not a loop: all clicks get the same hidden class, whatever the order of their fields. */
function strip(click: ClickEvent): ClickEvent {
  return {
    click_id: click.click_id,
    os: click.os,
    os_name: click.os_name,
    os_timezone: click.os_timezone,
    device_type: click.device_type,
    device_is_mobile: click.device_is_mobile,
    user_custom_id: click.user_custom_id,
    user_domain_id: click.user_domain_id,
  };
}

/** JSON.parse makes `__proto__` a plain field, but Object.assign would make it the copy's prototype. */
function withoutProto(click: ClickEvent): ClickEvent {
  if (Object.hasOwn(click, "__proto__")) Reflect.deleteProperty(click, "__proto__");
  return click;
}
