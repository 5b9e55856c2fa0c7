import type { Connection } from "../state/model.ts";
import { Empty } from "./panel.tsx";

/** Before the first data has come. */
export function Welcome({ connection }: { connection: Connection }) {
  if (connection.phase === "refused") {
    return (
      <Empty title="The server does not send anything">
        {connection.detail} The page tries again by itself.
      </Empty>
    );
  }
  return (
    <Empty title="Connecting to the flow">
      If this takes longer than a few seconds, check that the flow runs with <code>--http</code> and that this
      address has its port. The page tries again by itself.
    </Empty>
  );
}
