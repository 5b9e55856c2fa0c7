import type { Window } from "@millrace/observe/api";
import { formatLoss, formatNumber, formatValue, plural } from "../format/format.ts";
import { barsOf } from "../state/select.ts";
import { Icon } from "./icons.tsx";

const SHOWN = 12;

interface BarTableProps {
  readonly window: Window;
  readonly measure: string | undefined;
  readonly onSearch: (key: string) => void;
}

/** The rows of a window: a table whose numbers are drawn as bars. */
export function BarTable({ window, measure, onSearch }: BarTableProps) {
  if (measure === undefined) return <ValueTable window={window} onSearch={onSearch} />;
  const { bars, rest } = barsOf(window, measure, SHOWN);
  const [first] = window.measures;
  const chosenBy =
    first !== measure && window.rest.rows > 0
      ? `, of the ${window.top.length} highest by ${first ?? ""}`
      : "";
  return (
    <table class="bars">
      <caption class={window.measures.length > 1 && chosenBy === "" ? "hidden" : undefined}>
        {measure} by key{chosenBy}
      </caption>
      <BarColumns />
      <thead class="hidden">
        <tr>
          <th scope="col">Key</th>
          <th scope="col">Bar</th>
          <th scope="col">{measure}</th>
        </tr>
      </thead>
      <tbody>
        {bars.map(({ row, value, share }) => (
          <tr key={`${row.part} ${row.key}`}>
            <th scope="row">
              <KeyButton name={row.key} onSearch={onSearch} />
            </th>
            <td class="bar-cell">
              <div class="bar" style={{ width: `${share * 100}%` }} />
            </td>
            <td class="number">
              {formatLoss(row.complete) !== undefined && (
                <span class="bar-loss" title={formatLoss(row.complete)}>
                  <Icon name="incomplete" />
                </span>
              )}
              {formatNumber(value)}
            </td>
          </tr>
        ))}
        {rest !== undefined && (
          <tr class="bar-rest">
            <th scope="row">{plural(rest.rows, "other key")}</th>
            <td class="bar-cell">
              <div class="bar" style={{ width: `${rest.share * 100}%` }} />
            </td>
            <td class="number">{formatNumber(rest.value)}</td>
          </tr>
        )}
      </tbody>
      <tfoot>
        <tr>
          <th scope="row">Sum of all keys</th>
          <td />
          <td class="number">{formatNumber(window.totals[measure] ?? 0)}</td>
        </tr>
      </tfoot>
    </table>
  );
}

function BarColumns() {
  return (
    <colgroup>
      <col class="bars-key" />
      <col />
      <col class="bars-number" />
    </colgroup>
  );
}

/** Rows without numbers. */
function ValueTable({ window, onSearch }: Omit<BarTableProps, "measure">) {
  const others = Math.max(0, window.top.length - SHOWN) + window.rest.rows;
  return (
    <table class="bars bars-values">
      <caption>Result by key</caption>
      <colgroup>
        <col class="bars-key" />
        <col />
      </colgroup>
      <tbody>
        {window.top.slice(0, SHOWN).map((row) => (
          <tr key={`${row.part} ${row.key}`}>
            <th scope="row">
              <KeyButton name={row.key} onSearch={onSearch} />
            </th>
            <td>
              <code>{formatValue(row.value)}</code>
            </td>
          </tr>
        ))}
        {others > 0 && (
          <tr class="bar-rest">
            <th scope="row">{plural(others, "other key")}</th>
            <td />
          </tr>
        )}
      </tbody>
    </table>
  );
}

function KeyButton({ name, onSearch }: { name: string; onSearch: (key: string) => void }) {
  return (
    <button
      type="button"
      class="key"
      title={`Show the rows of ${name} in recent windows`}
      onClick={() => {
        onSearch(name);
      }}
    >
      {name === "" ? "(empty)" : name}
    </button>
  );
}
