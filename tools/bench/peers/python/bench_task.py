"""What the benchmark asks of a program in Python."""

import os

REDIS_URL = os.environ["REDIS_URL"]
CHANNEL = os.environ["BENCH_CHANNEL"]
WINDOW_MS = int(os.environ["BENCH_WINDOW_MS"])
