"""What both programs share: a source over a channel, the windows, and how rows are printed."""

import json
from datetime import datetime, timedelta, timezone

import bytewax.operators as op
import bytewax.operators.windowing as windowing
import redis
from bytewax.connectors.stdio import StdOutSink
from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition
from bytewax.operators import KeyedStream

from bench_task import CHANNEL, WINDOW_MS

CLOCK = windowing.SystemClock()
WINDOWER = windowing.TumblingWindower(
    length=timedelta(milliseconds=WINDOW_MS),
    align_to=datetime(2024, 1, 1, tzinfo=timezone.utc),
)


class PubSubPartition(StatefulSourcePartition[bytes, None]):
    def __init__(self, client: redis.Redis, batch_size: int) -> None:
        self._batch_size = batch_size
        self._pubsub = client.pubsub(ignore_subscribe_messages=True)
        self._pubsub.subscribe(CHANNEL)

    def next_batch(self) -> list[bytes]:
        get_message = self._pubsub.get_message
        batch: list[bytes] = []
        while len(batch) < self._batch_size and (message := get_message()) is not None:
            batch.append(message["data"])
        return batch

    def snapshot(self) -> None:
        return None


class PubSubSource(FixedPartitionedSource[bytes, None]):
    def __init__(self, client: redis.Redis, batch_size: int) -> None:
        self._partition = (client, batch_size)

    def list_parts(self) -> list[str]:
        return ["only"]

    def build_part(self, step_id: str, for_part: str, resume_state: None) -> PubSubPartition:
        return PubSubPartition(*self._partition)


def print_rows(totals: KeyedStream[tuple[int, int]]) -> None:
    def row(total: tuple[str, tuple[int, int]]) -> str:
        zone, (_window, count) = total
        return json.dumps({"timezone": zone, "num_mobile_users": count})

    op.output("out", op.map("row", totals, row), StdOutSink())
