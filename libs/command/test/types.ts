/** Checked by the compiler alone: the values of a module's options have the types of their declarations. */
import type { FlowParts } from "@millrace/command/flow";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare function same<A, B>(is: Same<A, B>): void;

const options = {
  limit: { flag: "--limit <n>", description: "", parse: Number },
  least: { flag: "--least <n>", description: "", parse: Number, default: 0 },
  land: { flag: "--land <code>", description: "", parse: (text: string) => text as "DE" | "FR" },
  loud: { flag: "--loud", description: "" },
};
type Values = FlowParts<typeof options>["options"];
same<Values["limit"], number | undefined>(true);
same<Values["least"], number>(true);
same<Values["land"], "DE" | "FR" | undefined>(true);
same<Values["loud"], boolean>(true);
// A flow without declared options knows nothing of their values.
same<FlowParts["options"]["any"], unknown>(true);

// @ts-expect-error an option has a flag
type _Bad = FlowParts<{ readonly limit: { readonly description: "" } }>;
