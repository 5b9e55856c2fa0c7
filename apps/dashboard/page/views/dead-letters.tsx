import type { DeadLetters } from "@millrace/observe/api";
import { formatNumber, formatTime, plural } from "../format/format.ts";
import { Empty, Panel } from "./panel.tsx";

const SHOWN = 20;

/** What steps could not take, with the reasons. */
export function DeadLettersPanel({ deadLetters: { total, reasons, letters } }: { deadLetters: DeadLetters }) {
  if (total === 0) {
    return (
      <Panel id="dead-letters" title="Dead letters">
        <Empty title="None">Every event could be read.</Empty>
      </Panel>
    );
  }
  const counts = Object.entries(reasons).sort(([, a], [, b]) => b - a);
  const shown = letters.slice(0, SHOWN);
  return (
    <Panel
      id="dead-letters"
      title="Dead letters"
      note={`${formatNumber(total)} in all${shown.length < total ? `, the newest ${shown.length} below` : ""}`}
    >
      <ul class="reasons" aria-label="Reasons">
        {counts.slice(0, SHOWN).map(([code, count]) => (
          <li key={code}>
            <code>{code}</code> <strong>{formatNumber(count)}</strong>
          </li>
        ))}
      </ul>
      <div class="scroll letters" role="region" aria-label={plural(shown.length, "dead letter")} tabIndex={0}>
        <table class="table">
          <thead>
            <tr>
              <th scope="col">Time</th>
              <th scope="col">Step</th>
              <th scope="col">Partition</th>
              <th scope="col">Reason</th>
              <th scope="col">Payload</th>
            </tr>
          </thead>
          <tbody>
            {shown.map(({ number, at, step, part, code, message, payload }) => (
              <tr key={number}>
                <th scope="row">{formatTime(at)}</th>
                <td>{step}</td>
                <td>{part}</td>
                <td class="letter-reason">
                  <code>{code}</code>
                  <span>{message}</span>
                </td>
                <td class="payload">
                  <code title={payload}>{payload === "" ? "(empty)" : payload}</code>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}
