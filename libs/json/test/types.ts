/**
 * Checked by the compiler alone: an event has the output type of its schema, and a projection only some of its fields.
 * Nothing here is run.
 */
import { type } from "arktype";
import * as v from "valibot";
import { z } from "zod";
import { json, type DecodeResult, type EventCodec, type LineDecoder } from "@millrace/json";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare function same<A, B>(proof: Equal<A, B>): void;

interface Visit {
  zone: string;
  mobile: boolean;
}

const ofZod = json(z.object({ zone: z.string(), mobile: z.boolean() }));
same<typeof ofZod, EventCodec<Visit>>(true);
const ofValibot = json(v.object({ zone: v.string(), mobile: v.boolean() }));
same<typeof ofValibot, EventCodec<Visit>>(true);
const ofArktype = json(type({ zone: "string", mobile: "boolean" }));
same<typeof ofArktype, EventCodec<Visit>>(true);

// The output of the schema, not its input.
const dated = json(z.object({ at: z.string().transform((text) => new Date(text)) }));
same<typeof dated, EventCodec<{ at: Date }>>(true);

const trusted = json<Visit>();
same<typeof trusted, EventCodec<Visit>>(true);
const anything = json({ maxEventBytes: 1_000 });
same<typeof anything, EventCodec<Readonly<Record<string, unknown>>>>(true);

const zones = ofZod.pick("zone");
same<typeof zones, LineDecoder<Pick<Visit, "zone">>>(true);
same<ReturnType<typeof zones.decode>, DecodeResult<Pick<Visit, "zone">>>(true);

// @ts-expect-error: there is no such field
ofZod.pick("zones");
// @ts-expect-error: nothing knows which fields would be unknown
json<Visit>({ unknownFields: "refuse" });
// @ts-expect-error: no schema of the standard
json({ parse: () => 1 });
// @ts-expect-error: lines are objects
json<number>();
// @ts-expect-error: no such policy
json(z.object({}), { unknownFields: "drop" });

/** As a dataflow declares it. */
interface Decoder<Raw, T> {
  decode(raw: Raw):
    | { readonly kind: "event"; readonly event: T }
    | { readonly kind: "blank" }
    | {
        readonly kind: "malformed";
        readonly reason: { readonly code: string; readonly message: string; readonly path?: string };
      };
}
ofZod satisfies Decoder<string | Uint8Array, Visit>;
