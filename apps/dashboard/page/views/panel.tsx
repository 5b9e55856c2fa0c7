import type { ComponentChildren } from "preact";

interface PanelProps {
  /** Unique on the page; the heading's id. */
  readonly id: string;
  readonly title: string;
  readonly note?: string | undefined;
  /** What stands at the right of the heading. */
  readonly aside?: ComponentChildren;
  readonly children: ComponentChildren;
}

/** A section of the page with its heading. */
export function Panel({ id, title, note, aside, children }: PanelProps) {
  return (
    <section class={`panel panel-${id}`} aria-labelledby={id}>
      <header class="panel-head">
        <h2 id={id}>{title}</h2>
        {note !== undefined && <p class="panel-note">{note}</p>}
        {aside !== undefined && <div class="panel-aside">{aside}</div>}
      </header>
      {children}
    </section>
  );
}

/** What stands where nothing is to show yet, with what to do. */
export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children !== undefined && <p class="empty-text">{children}</p>}
    </div>
  );
}

interface ChoiceProps {
  readonly label: string;
  readonly values: readonly string[];
  readonly value: string;
  readonly onChoose: (value: string) => void;
}

/** One of a few values. */
export function Choice({ label, values, value, onChoose }: ChoiceProps) {
  return (
    <label class="choice">
      <span>{label}</span>
      <select
        value={value}
        onChange={({ currentTarget }) => {
          onChoose(currentTarget.value);
        }}
      >
        {values.map((one) => (
          <option key={one} value={one}>
            {one}
          </option>
        ))}
      </select>
    </label>
  );
}
