import { useLayoutEffect, useRef } from "preact/hooks";
import { formatCompleteness, formatNumber, formatRange, formatValue } from "../format/format.ts";
import type { KeySearch } from "../state/model.ts";
import { Icon, StatusBadge } from "./icons.tsx";
import { Empty, Panel } from "./panel.tsx";

interface KeySearchBoxProps {
  readonly search: KeySearch | null;
  readonly suggestions: readonly string[];
  readonly onSearch: (key: string) => void;
}

export function KeySearchBox({ search, suggestions, onSearch }: KeySearchBoxProps) {
  const input = useRef<HTMLInputElement>(null);
  const key = search?.key ?? "";
  useLayoutEffect(() => {
    // A key may also be picked in the table.
    if (input.current !== null) input.current.value = key;
  }, [key]);
  return (
    <form
      class="search"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        onSearch(input.current?.value ?? "");
      }}
    >
      <Icon name="search" />
      <input
        ref={input}
        name="key"
        type="search"
        aria-label="Key to find in recent windows"
        placeholder="Find a key"
        list="keys"
        autocomplete="off"
        spellcheck={false}
        onInput={({ currentTarget }) => {
          if (currentTarget.value === "") onSearch("");
        }}
      />
      <datalist id="keys">
        {suggestions.map((key) => (
          <option key={key} value={key} />
        ))}
      </datalist>
    </form>
  );
}

interface KeyPanelProps {
  readonly search: KeySearch;
  readonly now: number;
  readonly onSearch: (key: string) => void;
}

/** The rows of one key in recent windows. */
export function KeyPanel({ search: { key, result }, now, onSearch }: KeyPanelProps) {
  return (
    <Panel
      id="key"
      title={`Key ${key}`}
      aside={
        <button
          type="button"
          class="tool"
          onClick={() => {
            onSearch("");
          }}
        >
          Close
        </button>
      }
    >
      <KeyRows result={result} now={now} />
    </Panel>
  );
}

function KeyRows({ result, now }: { result: KeySearch["result"]; now: number }) {
  if (result.phase === "loading") return <Empty title="Looking for its rows" />;
  if (result.phase === "failed") return <Empty title="Its rows cannot be shown">{result.reason}</Empty>;
  const rows = result.windows.flatMap((window) => window.top.map((row) => ({ window, row })));
  if (rows.length === 0) {
    return (
      <Empty title="No recent window has a row of this key">
        Keys are compared as they are, with upper and lower case.
      </Empty>
    );
  }
  const measures = [...new Set(result.windows.flatMap((window) => window.measures))];
  const parts = new Set(rows.map(({ row }) => row.part)).size > 1;
  return (
    <div class="scroll" role="region" aria-label="Rows of the key" tabIndex={0}>
      <table class="table">
        <thead>
          <tr>
            <th scope="col">Window</th>
            {parts && <th scope="col">Partition</th>}
            {measures.map((measure) => (
              <th key={measure} scope="col" class="number">
                {measure}
              </th>
            ))}
            {measures.length === 0 && <th scope="col">Result</th>}
            <th scope="col">Status</th>
            <th scope="col" class="number">
              Revision
            </th>
            <th scope="col">Completeness</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ window, row }) => (
            <tr key={`${window.id} ${row.part}`}>
              <th scope="row">{formatRange(window.open, window.close, now)}</th>
              {parts && <td>{row.part}</td>}
              {measures.map((measure) => (
                <td key={measure} class="number">
                  {row.numbers[measure] === undefined ? "–" : formatNumber(row.numbers[measure])}
                </td>
              ))}
              {measures.length === 0 && (
                <td>
                  <code>{formatValue(row.value)}</code>
                </td>
              )}
              <td>
                <StatusBadge status={window.status} />
              </td>
              <td class="number">{row.revision}</td>
              <td>{formatCompleteness(row.complete)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
