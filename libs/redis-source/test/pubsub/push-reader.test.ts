import { describe, expect, it, jest } from "@jest/globals";
import fc from "fast-check";
import { PushReader } from "../../src/pubsub/push-reader.ts";

const CHANNEL = "clicks";

function bulk(text: string | Buffer): Buffer {
  const bytes = Buffer.from(text as string);
  return Buffer.concat([Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from("\r\n")]);
}

function list(head: string, ...parts: readonly (string | Buffer)[]): Buffer {
  return Buffer.concat([Buffer.from(`${head}${parts.length}\r\n`), ...parts.map((part) => bulk(part))]);
}

function message(payload: string | Buffer, channel = CHANNEL, kind = "message", head = "*"): Buffer {
  return list(head, kind, channel, payload);
}

interface Heard {
  /** The bytes of each, as Latin-1. */
  readonly messages: string[];
  readonly others: string;
  /** Messages and other bytes in the order in which they came. */
  readonly order: string;
}

/** Reads a stream in chunks that end at these places. */
function read(stream: Buffer, cuts: readonly number[], { sharded = false, cut = true } = {}): Heard {
  const messages: string[] = [];
  let others = "";
  let order = "";
  const pass = (bytes: Buffer): void => {
    others += bytes.toString("latin1");
    order += bytes.toString("latin1");
  };
  const reader = new PushReader(
    { channel: CHANNEL, sharded, cut },
    {
      messages(found) {
        for (const each of found) messages.push(Buffer.from(each as string).toString("latin1"));
        order += "m".repeat(found.length);
      },
      others: pass,
      unknown: pass,
    },
  );
  let from = 0;
  for (const to of [...new Set(cuts), stream.length].sort((a, b) => a - b)) {
    if (to > from) reader.read(Buffer.from(stream.subarray(from, to)));
    from = Math.max(from, to);
  }
  return { messages, others, order };
}

const payload = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.string({ unit: "grapheme", maxLength: 8 }),
  fc.constantFrom("", "\r\n", "a\r\n*3\r\n$7\r\nmessage\r\n$6\r\nclicks\r\n$1\r\nb\r\n", "+OK\r\n", "Zürich"),
  fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes)),
);
const own = payload.map((text) => ({
  mine: true,
  text: Buffer.from(text as string).toString("latin1"),
  bytes: message(text),
}));
const other = fc
  .oneof(
    payload.map((text) => message(text, "clickt")),
    payload.map((text) => message(text, "clicks2")),
    payload.map((text) => message(text, CHANNEL, "smessage")),
    payload.map((text) => list("*", "pmessage", "cl*", CHANNEL, text)),
    fc.constantFrom(
      list("*", "pong", ""),
      Buffer.from("-ERR unknown command 'x'\r\n"),
      Buffer.from("+PONG\r\n"),
      Buffer.from(":12\r\n"),
      Buffer.from("$-1\r\n"),
      Buffer.from("*-1\r\n"),
      Buffer.from("*0\r\n"),
      Buffer.from("*3\r\n$9\r\nsubscribe\r\n$6\r\nclicks\r\n:1\r\n"),
      Buffer.from("*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:0\r\n"),
      Buffer.from("*2\r\n*2\r\n:1\r\n$1\r\na\r\n*1\r\n*0\r\n"),
      Buffer.from("*3\r\n$7\r\nmessage\r\n$6\r\nclicks\r\n$-1\r\n"),
      Buffer.from("%2\r\n+a\r\n:1\r\n+b\r\n_\r\n"),
    ),
  )
  .map((bytes) => ({ mine: false, text: bytes.toString("latin1"), bytes }));
const replies = fc.array(fc.oneof(own, other), { minLength: 1, maxLength: 6 });

function expected(parts: readonly { readonly mine: boolean; readonly text: string }[]): Heard {
  return {
    messages: parts.filter(({ mine }) => mine).map(({ text }) => text),
    others: parts.map(({ mine, text }) => (mine ? "" : text)).join(""),
    order: parts.map(({ mine, text }) => (mine ? "m" : text)).join(""),
  };
}

describe("PushReader", () => {
  it("reads the same messages and hands on the same bytes wherever the stream is cut", () => {
    fc.assert(
      fc.property(replies, fc.boolean(), (parts, cut) => {
        const stream = Buffer.concat(parts.map(({ bytes }) => bytes));
        const whole = expected(parts);
        for (let at = 0; at <= stream.length; at += 1) expect(read(stream, [at], { cut })).toEqual(whole);
      }),
      { numRuns: 25 },
    );
  });

  it("reads the same in chunks of any sizes", () => {
    fc.assert(
      fc.property(replies, fc.array(fc.nat(400), { maxLength: 30 }), (parts, cuts) => {
        const stream = Buffer.concat(parts.map(({ bytes }) => bytes));
        expect(read(stream, cuts)).toEqual(expected(parts));
        const everywhere = Array.from({ length: stream.length }, (_, at) => at);
        expect(read(stream, everywhere)).toEqual(expected(parts));
      }),
      { numRuns: 60 },
    );
  });

  it("reads shard messages, and pushes of RESP3", () => {
    const shard = message("a", CHANNEL, "smessage");
    expect(read(Buffer.concat([shard, message("b")]), [], { sharded: true })).toMatchObject({
      messages: ["a"],
      others: message("b").toString("latin1"),
    });
    expect(read(message("c", CHANNEL, "message", ">"), [4])).toMatchObject({ messages: ["c"] });
  });

  it("reads a channel whose name is not ASCII, or has signs that mean something in a pattern", () => {
    for (const channel of ["Zürich", "{a.b:*}[0]"]) {
      const heard: unknown[] = [];
      const reader = new PushReader(
        { channel, sharded: false, cut: true },
        {
          messages: (found) => heard.push(...found),
          others: () => heard.push("other"),
          unknown: () => heard.push("?"),
        },
      );
      reader.read(Buffer.concat([message("a", channel), message("ü", channel), message("b", channel)]));
      expect(heard).toEqual(["a", Buffer.from("ü"), "b"]);
    }
  });

  it("makes one text and one Buffer of a chunk of ASCII, however many messages it has", () => {
    const chunk = Buffer.concat(Array.from({ length: 200 }, (_, i) => message(`line ${i}`)));
    const found: unknown[] = [];
    const reader = new PushReader(
      { channel: CHANNEL, sharded: false, cut: true },
      { messages: (messages) => found.push(...messages), others: () => undefined, unknown: () => undefined },
    );
    const texts = jest.spyOn(Buffer.prototype, "toString");
    const buffers = jest.spyOn(Buffer.prototype, "subarray");
    try {
      reader.read(chunk);
      expect([texts.mock.calls.length, buffers.mock.calls.length]).toEqual([1, 1]);
    } finally {
      texts.mockRestore();
      buffers.mockRestore();
    }
    expect(found).toEqual(Array.from({ length: 200 }, (_, i) => `line ${i}`));
  });

  it("leaves a message that is longer than a message may be to the client library", () => {
    const long = message("x".repeat(1_048_577));
    const heard = read(Buffer.concat([message("a"), long, message("b")]), [30, 70_000, 900_000]);
    expect(heard.messages).toEqual(["a", "b"]);
    expect(heard.others === long.toString("latin1")).toBe(true);
  });

  it("reads nothing more after bytes that are no reply, and hands on all that follows", () => {
    const rest = Buffer.concat([Buffer.from("?what\r\n"), message("b")]);
    const stream = Buffer.concat([message("a"), rest]);
    for (let at = 0; at <= stream.length; at += 1) {
      expect(read(stream, [at])).toMatchObject({ messages: ["a"], others: rest.toString("latin1") });
    }
  });
});
