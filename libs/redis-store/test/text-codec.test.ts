import { expect, it } from "@jest/globals";
import fc from "fast-check";
import { decodeText, encodeText } from "../src/task-keys.ts";

it("encodes any text as UTF-8 and back", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "binary" }),
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
