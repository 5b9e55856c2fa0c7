import type { Task, Tasks } from "@millrace/observe/api";
import {
  formatBytes,
  formatDuration,
  formatNumber,
  formatTime,
  formatUnread,
  plural,
} from "../format/format.ts";
import { cutOff, shownOthers, shownTasks, unreadOf } from "../state/select.ts";
import { Icon } from "./icons.tsx";
import { Empty, Panel } from "./panel.tsx";

const SHOWN = 32;

/** Each partition's watermark against the clock, what keeps it back, its lag and its commits. */
export function PartitionsPanel({ tasks: { at, tasks, others } }: { tasks: Tasks }) {
  if (tasks.length === 0) {
    return (
      <Panel id="partitions" title="Partitions">
        <Empty title="No partition runs here yet" />
        <OtherWorkers others={others} />
      </Panel>
    );
  }
  const shown = shownTasks(tasks, SHOWN);
  const oldest = Math.max(1_000, ...tasks.map(({ watermarkAgeMs }) => watermarkAgeMs ?? 0));
  const hidden = tasks.length - shown.length;
  return (
    <Panel
      id="partitions"
      title="Partitions"
      note={`${plural(tasks.length, "partition")}; a bar is the time from the watermark to now`}
    >
      <div class="scroll" role="region" aria-label="Table of partitions" tabIndex={0}>
        <table class="table partitions">
          <thead>
            <tr>
              <th scope="col">Partition</th>
              <th scope="col">Watermark</th>
              <th scope="col" class="number">
                Lag
              </th>
              <th scope="col" class="number">
                To read
              </th>
              <th scope="col" class="number">
                Received
              </th>
              <th scope="col" class="number">
                Lost
              </th>
              <th scope="col" class="number">
                Batch
              </th>
              <th scope="col" class="number">
                Commits
              </th>
              <th scope="col">Last commit</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((task) => (
              <Partition key={task.part} task={task} oldest={oldest} at={at} several={tasks.length > 1} />
            ))}
          </tbody>
        </table>
      </div>
      {hidden > 0 && <p class="more">and {hidden} more, whose watermarks are newer</p>}
      <OtherWorkers others={others} />
    </Panel>
  );
}

/** The workers that have the flow's other partitions. */
function OtherWorkers({ others }: { others: Tasks["others"] }) {
  if (others === null) return null;
  if (others.length === 0) return <p class="more">No other worker shares this flow.</p>;
  const { shown, hidden } = shownOthers(others);
  return (
    <ul class="more" aria-label="Other workers">
      {shown.map(({ worker, host, parts, leaving, leaseAgeMs }) => (
        <li key={worker}>
          {host ?? worker} has {parts}
          {leaving && ", and is leaving"}
          {leaseAgeMs !== null && `; last heartbeat ${formatDuration(Math.max(0, leaseAgeMs))} ago`}
        </li>
      ))}
      {hidden > 0 && <li>and {plural(hidden, "more worker")}</li>}
    </ul>
  );
}

function Partition({
  task,
  oldest,
  at,
  several,
}: {
  task: Task;
  oldest: number;
  at: number;
  several: boolean;
}) {
  const { part, watermark, watermarkAgeMs, lagMs, received, lost, lastBatchMs, commits } = task;
  const holds = task.holdsFlowBack && task.holdReason !== null;
  const commit = task.lastCommit;
  const phase = cutOff([task]).length > 0 ? "disconnected" : task.phase;
  return (
    <tr class={holds ? "holds" : undefined}>
      <th scope="row">
        <span class="part-name">{part}</span>
        <span class={`phase phase-${phase}`}>{phase}</span>
      </th>
      <td class="watermark">
        <div class="track" aria-hidden="true">
          {watermarkAgeMs !== null && (
            <div
              class="track-age"
              style={{ width: `${Math.min(100, Math.max(0.5, (watermarkAgeMs / oldest) * 100))}%` }}
            />
          )}
        </div>
        <span class="track-text">
          {watermark === null
            ? "none yet"
            : `${formatTime(watermark)}, ${formatDuration(watermarkAgeMs)} ago`}
        </span>
        <span class="hold">
          {holds && (
            <strong>
              <Icon name="hold" />
              holds the flow back
            </strong>
          )}
          {task.holdReason ?? (several && task.holdsFlowBack && "the lowest watermark of the flow")}
        </span>
      </td>
      <td class="number">{formatDuration(lagMs)}</td>
      <td class="number">{formatUnread(unreadOf([task]))}</td>
      <td class="number">{formatNumber(received)}</td>
      <td class={lost > 0 ? "number bad" : "number"}>{formatNumber(lost)}</td>
      <td class="number">{formatDuration(lastBatchMs)}</td>
      <td class="number">{formatNumber(commits)}</td>
      <td class="commit">
        {commit === null ? "none" : `${formatDuration(Math.max(0, at - commit.at))} ago`}
        {commit !== null && (
          <span>
            took {formatDuration(commit.durationMs)}
            {commit.bytes !== null && `, ${formatBytes(commit.bytes)}`}
          </span>
        )}
      </td>
    </tr>
  );
}
