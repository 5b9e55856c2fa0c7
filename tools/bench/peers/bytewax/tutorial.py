"""Mobile users by time zone, written as Bytewax's tutorial on Redis Pub/Sub has it.

One get_message() for each next_batch(), a step for each thought, the standard library's JSON, and redis-py as it
comes. The API is today's, in which a source has no schedule and windows have a module of their own.
"""

import json
from datetime import datetime, timedelta, timezone

import bytewax.operators as op
import bytewax.operators.windowing as windowing
import redis
from bytewax.connectors.stdio import StdOutSink
from bytewax.dataflow import Dataflow
from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition

from bench_task import CHANNEL, REDIS_URL, WINDOW_MS, end_with_parent


class PubSubPartition(StatefulSourcePartition[bytes, None]):
    def __init__(self, url: str, channel: str) -> None:
        self._pubsub = redis.Redis.from_url(url).pubsub(ignore_subscribe_messages=True)
        self._pubsub.subscribe(channel)

    def next_batch(self) -> list[bytes]:
        message = self._pubsub.get_message()
        return [] if message is None else [message["data"]]

    def snapshot(self) -> None:
        return None

    def close(self) -> None:
        self._pubsub.close()


class PubSubSource(FixedPartitionedSource[bytes, None]):
    def list_parts(self) -> list[str]:
        return ["only"]

    def build_part(self, step_id: str, for_part: str, resume_state: None) -> PubSubPartition:
        return PubSubPartition(REDIS_URL, CHANNEL)


def keyed(click: dict) -> tuple[str, int]:
    return click["os_timezone"], int(click["device_is_mobile"])


def row(total: tuple[str, tuple[int, int]]) -> str:
    zone, (_window, count) = total
    return json.dumps({"timezone": zone, "num_mobile_users": count})


end_with_parent()
flow = Dataflow("mobile_counts")
lines = op.input("clicks", flow, PubSubSource())
clicks = op.map("parse", lines, json.loads)
mobile = op.map("key", clicks, keyed)
totals = windowing.reduce_window(
    "sum",
    mobile,
    windowing.SystemClock(),
    windowing.TumblingWindower(
        length=timedelta(milliseconds=WINDOW_MS),
        align_to=datetime(2024, 1, 1, tzinfo=timezone.utc),
    ),
    lambda a, b: a + b,
)
rows = op.map("row", totals.down, row)
op.output("out", rows, StdOutSink())
