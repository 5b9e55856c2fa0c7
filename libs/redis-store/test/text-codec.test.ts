import { expect, it } from "@jest/globals";
import fc from "fast-check";
import { decodeText, encodeText } from "../src/task-keys.ts";

/** Like the unit "binary" of fast-check, whose table of all characters takes a second to make. */
const anyCharacter = fc.nat(0x10ffff).map((code) => Buffer.from(String.fromCodePoint(code)).toString());

it("encodes any text as UTF-8 and back", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: anyCharacter }),
      fc.constantFrom("", '"', "\ud800", "\udc00x"),
      (text, start) => {
        const stored = Buffer.from(encodeText(start + text), "utf8").toString("utf8");
        expect(decodeText(stored)).toBe(start + text);
      },
    ),
  );
});

it("leaves plain text unchanged", () => {
  expect(encodeText("Europe/Madrid é \u{1f600}")).toBe("Europe/Madrid é \u{1f600}");
});
