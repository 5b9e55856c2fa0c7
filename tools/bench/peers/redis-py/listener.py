"""What people write by hand in Python: redis-py as it comes, its listen(), the standard library's JSON, a dict."""

import json

import redis

from bench_task import CHANNEL, REDIS_URL, WINDOW_MS, end_with_parent
from zone_counts import ZoneCounts

end_with_parent()
counts = ZoneCounts(WINDOW_MS)
pubsub = redis.Redis.from_url(REDIS_URL).pubsub(ignore_subscribe_messages=True)
pubsub.subscribe(CHANNEL)
for message in pubsub.listen():
    click = json.loads(message["data"])
    counts.add(click["os_timezone"], click["device_is_mobile"])
