import { formatDuration, formatNumber, formatRate, plural } from "../format/format.ts";
import type { Run } from "../state/model.ts";
import { recentRate } from "../state/select.ts";
import { Icon } from "./icons.tsx";

interface Tile {
  readonly name: string;
  readonly value: string;
  readonly unit?: string;
  readonly note: string;
  readonly tone?: "good" | "bad" | "warn" | undefined;
}

/** The figures that a reader looks for first. */
export function Tiles({ run }: { run: Run }) {
  return (
    <section class="tiles" aria-label="Figures">
      <dl>
        {tilesOf(run).map(({ name, value, unit, note, tone }) => (
          <div key={name} class={tone === undefined ? "tile" : `tile tile-${tone}`}>
            <dt>{name}</dt>
            <dd class="tile-value">
              {tone === "good" && <Icon name="final" />}
              {tone === "bad" && <Icon name="defect" />}
              {tone === "warn" && <Icon name="incomplete" />}
              {value}
              {unit !== undefined && <small> {unit}</small>}
            </dd>
            <dd class="tile-note">{note}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function tilesOf({ tasks: { account, tasks }, samples, flow }: Run): readonly Tile[] {
  const last = samples.at(-1);
  const rows = Object.values(account.rowsOut).reduce((sum, count) => sum + count, 0);
  const left = tasks.reduce((sum, { lagEntries, queued }) => sum + (lagEntries ?? 0) + queued, 0);
  const holder = tasks.find(({ holdsFlowBack }) => holdsFlowBack);
  const missing = account.late + account.refused + account.malformed + account.lost + account.skipped;
  const windows = flow.steps.some(({ kind }) => kind === "windows");
  const failed = tasks.some(({ phase }) => phase === "failed");
  return [
    {
      name: "Events in",
      value: formatRate(recentRate(samples, ({ received }) => received)),
      unit: "/s",
      note: `${formatNumber(account.received)} received`,
    },
    {
      name: "Rows out",
      value: formatRate(recentRate(samples, ({ rowsOut }) => rowsOut)),
      unit: "/s",
      note: `${plural(rows, "row")} written`,
    },
    {
      name: "Lag",
      value: formatDuration(last?.lagMs ?? null),
      note: left === 0 ? "nothing left to read" : `${plural(left, "message")} left to read`,
    },
    windows
      ? {
          name: "Watermark age",
          value: formatDuration(last?.watermarkAgeMs ?? null),
          note:
            holder === undefined
              ? "of event time"
              : `${holder.holdReason === null ? "lowest at" : "held back by"} ${holder.part}`,
        }
      : {
          name: "Commits",
          value: formatRate(recentRate(samples, ({ commits }) => commits)),
          unit: "/s",
          note: "durable",
        },
    {
      name: "Not in results",
      value: formatNumber(missing),
      note: missing === 0 ? "late, malformed or lost" : missingNote(run(account)),
      tone: missing === 0 ? undefined : "warn",
    },
    {
      name: "Unaccounted",
      value: formatNumber(account.unaccounted),
      note:
        account.unaccounted === 0
          ? "every event is in a count"
          : failed
            ? "in progress at the failure"
            : "a defect",
      tone: account.unaccounted === 0 ? "good" : failed ? "warn" : "bad",
    },
  ];
}

type Missing = Pick<Run["tasks"]["account"], "late" | "refused" | "malformed" | "lost" | "skipped">;

function run({ late, refused, malformed, lost, skipped }: Missing): Missing {
  return { late, refused, malformed, lost, skipped };
}

function missingNote(counts: Missing): string {
  return Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${formatNumber(count)} ${name}`)
    .join(", ");
}
