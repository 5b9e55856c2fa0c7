"""Mobile users by time zone, written as Bytewax's tutorial on Redis Pub/Sub has it.

One get_message() for each next_batch(), a step for each thought, the standard library's JSON, and redis-py as it
comes. The API is today's, in which a source has no schedule and windows have a module of their own.
"""

import json

import bytewax.operators as op
import bytewax.operators.windowing as windowing
import redis
from bytewax.dataflow import Dataflow

from bench_task import REDIS_URL
from bytewax_parts import CLOCK, WINDOWER, PubSubSource, print_rows


def keyed(click: dict) -> tuple[str, int]:
    return click["os_timezone"], int(click["device_is_mobile"])


flow = Dataflow("mobile_counts")
lines = op.input("clicks", flow, PubSubSource(redis.Redis.from_url(REDIS_URL), batch_size=1))
clicks = op.map("parse", lines, json.loads)
mobile = op.map("key", clicks, keyed)
totals = windowing.reduce_window("sum", mobile, CLOCK, WINDOWER, lambda a, b: a + b)
print_rows(totals.down)
