"""What the benchmark asks of a program in Python, and that it must end with it."""

import os
import sys
import threading

REDIS_URL = os.environ["REDIS_URL"]
CHANNEL = os.environ["BENCH_CHANNEL"]
WINDOW_MS = int(os.environ["BENCH_WINDOW_MS"])


def end_with_parent() -> None:
    """Ends this program with the one that started it, however that ends: its standard input ends then.

    SIGTERM ends a Python program as it is.
    """

    def wait() -> None:
        sys.stdin.buffer.read()
        # Not sys.exit(), which would end this thread alone.
        os._exit(0)

    threading.Thread(target=wait, daemon=True).start()
