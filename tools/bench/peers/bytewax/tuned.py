"""Mobile users by time zone, with many messages taken per call and all that Bytewax and redis-py offer to be fast.

Every event goes through the window, as in the tutorial; flat_map_batch() sees a batch at once, which Bytewax'
documentation recommends where that saves work.
"""

import bytewax.operators as op
import orjson
from bytewax.dataflow import Dataflow

from bench_task import end_with_parent
from drained import PubSubSource, sum_and_print


def keyed(batch: list[bytes]) -> list[tuple[str, int]]:
    loads = orjson.loads
    return [(click["os_timezone"], click["device_is_mobile"]) for click in map(loads, batch)]


end_with_parent()
flow = Dataflow("mobile_counts")
lines = op.input("clicks", flow, PubSubSource())
sum_and_print(op.flat_map_batch("key", lines, keyed))
