import fc from "fast-check";
import type { ClickEvent } from "@millrace/event-schema";

/** Like the unit "binary" of fast-check, whose table of all characters takes a second to make. */
export const anyCharacter = fc
  .nat(0x10ffff)
  .map((code) => Buffer.from(String.fromCodePoint(code)).toString());

/** A valid click; each test makes one field invalid. */
export const click: ClickEvent = {
  click_id: "c-1",
  os: "Android 1.5",
  os_name: "Android",
  os_timezone: "Europe/Madrid",
  device_type: "Mobile",
  device_is_mobile: true,
  user_custom_id: "anna@example.org",
  user_domain_id: "u-1",
};

/** Clicks of any text, lone surrogates and control characters included. */
export const anyClick: fc.Arbitrary<ClickEvent> = fc.record(
  {
    click_id: fc.string({ unit: anyCharacter }),
    os: fc.string(),
    os_name: fc.string(),
    os_timezone: fc.string({ unit: anyCharacter, minLength: 1 }),
    device_type: fc.string(),
    device_is_mobile: fc.boolean(),
    user_custom_id: fc.string({ unit: "grapheme" }),
    user_domain_id: fc.string(),
  },
  { noNullPrototype: true },
);

/** JSON values from unrelated to nearly valid: a click with fields missing, of another type, or too many. */
export const anyValue: fc.Arbitrary<unknown> = fc.oneof(
  fc.jsonValue(),
  anyClick,
  fc
    .tuple(
      anyClick,
      fc.dictionary(
        fc.oneof(fc.constantFrom(...Object.keys(click), "__proto__"), fc.string()),
        fc.jsonValue(),
        {
          maxKeys: 2,
          noNullPrototype: true,
        },
      ),
      fc.subarray(Object.keys(click), { maxLength: 2 }),
    )
    .map(([good, wrong, missing]): unknown => {
      const fields = Object.entries(good).filter(([name]) => !missing.includes(name));
      return Object.fromEntries([...fields, ...Object.entries(wrong)]);
    }),
);
