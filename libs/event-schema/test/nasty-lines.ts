import { click } from "./click-samples.ts";

const line = JSON.stringify(click);

function withMobile(written: string): string {
  return line.replace('"device_is_mobile":true', `"device_is_mobile":${written}`);
}

function withOs(written: string): string {
  return line.replace('"os":"Android 1.5"', `"os":${written}`);
}

function withMore(written: string): string {
  return `${line.slice(0, -1)},${written}}`;
}

/** Valid and invalid lines that differ from a plain one in a single thing, by that thing. */
export const NASTY_LINES: Readonly<Record<string, string>> = {
  "another order": JSON.stringify(Object.fromEntries(Object.entries(click).reverse())),
  "spaces after colons and commas": line.replaceAll('":', '": ').replaceAll(',"', ', "'),
  "one more space": line.replace(":", ": "),
  "a tab before the end": line.replace("}", "\t}"),
  "a trailing carriage return": `${line}\r`,
  "a trailing line feed": `${line}\n`,
  "a leading space": ` ${line}`,
  "a no-break space": line.replace(":", ":\u00a0"),
  "a byte order mark": `\uFEFF${line}`,
  "something after it": `${line} x`,
  "a second object after it": line + line,
  "a comma after it": `${line},`,
  "no end": line.slice(0, -1),
  "a comma before the end": `${line.slice(0, -1)},}`,
  "an escaped quote": withOs(String.raw`"a\"b"`),
  "an escaped backslash at the end": withOs(String.raw`"a\\"`),
  "an escape that hides the end": withOs(String.raw`"a\",`),
  "a quote too many": withOs('"a"b"'),
  "an escaped character": withOs(String.raw`"\u0041"`),
  "an escaped field name": line.replace('"os"', String.raw`"\u006fs"`),
  "half an escape": withOs(String.raw`"\u00"`),
  "an unknown escape": withOs(String.raw`"\x41"`),
  "a null character": withOs('"a\u0000b"'),
  "a raw tab": withOs('"a\tb"'),
  "a raw line feed": withOs('"a\nb"'),
  "the last control character": withOs('"a\u001fb"'),
  "a delete character": withOs('"a\u007fb"'),
  "a line separator": withOs('"a\u2028b"'),
  "a lone surrogate": withOs('"a\ud800b"'),
  "other letters": withOs('"Zürich 東京 🏙️"'),
  "an empty text": withOs('""'),
  "an empty time zone": line.replace("Europe/Madrid", ""),
  "a time zone of one letter": line.replace("Europe/Madrid", "Z"),
  "a boolean as text": withMobile('"true"'),
  "a boolean as number": withMobile("1"),
  "a boolean that is false": withMobile("false"),
  "a boolean in capitals": withMobile("True"),
  "a boolean cut off": withMobile("tru"),
  "a boolean too long": withMobile("truee"),
  "a null": withMobile("null"),
  "a text as number": withOs("7"),
  "a text as null": withOs("null"),
  "a text as object": withOs("{}"),
  "a text as list": withOs('["Android 1.5"]'),
  "a field missing": line.replace('"os":"Android 1.5",', ""),
  "a field twice": withMore('"os":"other"'),
  "a field twice, then wrong": withMore('"os":1'),
  "a field twice, first wrong": `{"os":1,${line.slice(1)}`,
  "the time zone twice": withMore('"os_timezone":"Asia/Tokyo"'),
  "an unknown text": withMore('"browser":"Firefox"'),
  "an unknown number": withMore('"x":-12.5e+3'),
  "an unknown number that is none": withMore('"x":01'),
  "an unknown number cut off": withMore('"x":1.'),
  "an unknown number with a plus": withMore('"x":+1'),
  "an unknown NaN": withMore('"x":NaN'),
  "an unknown boolean": withMore('"x":false'),
  "an unknown null": withMore('"x":null'),
  "an unknown object": withMore('"x":{"os_timezone":"Asia/Tokyo"}'),
  "an unknown list": withMore('"x":["os_timezone"]'),
  "a prototype": withMore('"__proto__":{"os":"other"}'),
  "a prototype as text": withMore('"__proto__":"other"'),
  "a name of nothing": withMore('"":"other"'),
  "a name that looks like a pattern": withMore('"a.*(b|c)[d]{2}\u00e9$^+?":"other"'),
  "a field name in capitals": line.replace('"os"', '"OS"'),
  "a field name with a space": line.replace('"os"', '"os "'),
  "single quotes": line.replaceAll('"', "'"),
  "a comment": line.replace("{", "{/**/"),
  "a list around it": `[${line}]`,
  "a text": JSON.stringify(line),
  nothing: "",
  "white space": " \t\r\n",
};
