import { formatTime } from "../format/format.ts";
import type { State } from "../state/model.ts";
import { Icon } from "./icons.tsx";
import type { IconName } from "./icons.tsx";

interface Message {
  readonly icon: IconName;
  readonly tone: "plain" | "warn" | "bad";
  readonly title: string;
  readonly text: string;
}

/** One line above the content where the page does not show what happens now, and what to do. */
export function Notice({ state }: { state: State }) {
  const message = messageOf(state);
  if (message === undefined) return null;
  return (
    <div class={`notice notice-${message.tone}`}>
      <Icon name={message.icon} />
      <p>
        <strong>{message.title}</strong> {message.text}
      </p>
    </div>
  );
}

function messageOf({ connection, frozen, run }: State): Message | undefined {
  switch (connection.phase) {
    case "ended":
      return connection.failed
        ? {
            icon: "defect",
            tone: "bad",
            title: "The run has failed.",
            text: `${sentence(connection.reason) ?? "Its log has the reason."} What is shown is its last state.`,
          }
        : {
            icon: "ended",
            tone: "plain",
            title: "The run has ended.",
            text: "What is shown is its result. Start it again, and this page follows.",
          };
    case "reconnecting":
      return run === null
        ? undefined
        : {
            icon: "revised",
            tone: "warn",
            title: "The connection is lost.",
            text: `What is shown is from ${formatTime(connection.since)}. The page tries again by itself; check that the flow still runs.`,
          };
    case "stale":
      return {
        icon: "incomplete",
        tone: "warn",
        title: "Nothing has come for a while.",
        text: `What is shown is from ${formatTime(connection.since)}. The flow's process may be busy or stopped, or the network slow.`,
      };
    case "refused":
      return run === null
        ? undefined
        : {
            icon: "incomplete",
            tone: "warn",
            title: "The server does not send anything.",
            text: `${connection.detail} The page tries again by itself.`,
          };
    case "connecting":
    case "locked":
    case "live":
      return frozen === null
        ? undefined
        : {
            icon: "pause",
            tone: "plain",
            title: "Paused.",
            text: "The flow runs on. Resume to see what it does now.",
          };
  }
}

/** Reasons come as log lines have them. */
function sentence(reason: string | null): string | undefined {
  if (reason === null || reason === "") return undefined;
  return `${reason.charAt(0).toUpperCase()}${reason.slice(1)}${reason.endsWith(".") ? "" : "."}`;
}
