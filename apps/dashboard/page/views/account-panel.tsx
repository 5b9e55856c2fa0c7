import { formatMoment, formatNumber } from "../format/format.ts";
import { equations, remarks } from "../state/account.ts";
import type { Equation } from "../state/account.ts";
import type { Run } from "../state/model.ts";
import { Icon } from "./icons.tsx";
import { Panel } from "./panel.tsx";

/** Where every event went. */
export function AccountPanel({ run }: { run: Run }) {
  const { account, tasks, at } = run.tasks;
  const failed = tasks.some(({ phase }) => phase === "failed");
  return (
    <Panel id="account" title="Account">
      <Unaccounted count={account.unaccounted} failed={failed} />
      {equations(run).map((equation) => (
        <EquationTable key={equation.name} equation={equation} />
      ))}
      {remarks(run).map(({ name, count }) => (
        <p key={name} class="remark">
          {formatNumber(count)} {name}
        </p>
      ))}
      {account.uncertainSince !== null && (
        <p class="remark">
          <Icon name="incomplete" /> More events published since {formatMoment(account.uncertainSince, at)}{" "}
          may be missing than are counted as lost.
        </p>
      )}
      <p class="remark">
        Rows written:{" "}
        {Object.entries(account.rowsOut)
          .map(([output, count]) => `${formatNumber(count)} by ${output}`)
          .join(", ") || "none"}
      </p>
    </Panel>
  );
}

function Unaccounted({ count, failed }: { count: number; failed: boolean }) {
  const [icon, tone, text] =
    count === 0
      ? (["final", "good", "Every event is in exactly one count."] as const)
      : failed
        ? (["incomplete", "warn", "A task failed while it processed them."] as const)
        : ([
            "defect",
            "bad",
            "They are in no count. That is a defect of Millrace: please report it.",
          ] as const);
  return (
    <p class={`unaccounted unaccounted-${tone}`}>
      <Icon name={icon} />
      <strong>{formatNumber(count)} unaccounted</strong>
      <span>{text}</span>
    </p>
  );
}

function EquationTable({ equation: { name, total, parts } }: { equation: Equation }) {
  const sum = parts.reduce((all, { count }) => all + count, 0);
  return (
    <table class="equation">
      <caption>
        <span class="equation-name">{name}</span> <strong>{formatNumber(total)}</strong>
      </caption>
      <tbody>
        <tr class="equation-bar" aria-hidden="true">
          <td colSpan={2}>
            <div class="stack">
              {parts.map(({ name: part, count, is }) => (
                <span key={part} class={`stack-${is}`} style={{ flexGrow: sum === 0 ? 0 : count / sum }} />
              ))}
            </div>
          </td>
        </tr>
        {parts.map(({ name: part, count, is }) => (
          <tr key={part} class={`entry entry-${is}${count === 0 ? " entry-zero" : ""}`}>
            <th scope="row">{part}</th>
            <td class="number">{formatNumber(count)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
