"""Counts by time zone in tumbling windows of arrival time, for a loop that blocks while nothing arrives."""

import json
import sys
import threading
import time


class ZoneCounts:
    """The window that is open. A thread closes it when its time is over, and prints its rows."""

    def __init__(self, window_ms: int) -> None:
        self._window = window_ms / 1000
        self._counts: dict[str, int] = {}
        # Or an event might go to a window that has just been printed. Taking it costs next to nothing.
        self._lock = threading.Lock()
        threading.Thread(target=self._close_windows, daemon=True).start()

    def add(self, zone: str, count: int) -> None:
        with self._lock:
            self._counts[zone] = self._counts.get(zone, 0) + count

    def _close_windows(self) -> None:
        while True:
            time.sleep(self._window - time.time() % self._window)
            with self._lock:
                closed, self._counts = self._counts, {}
            for zone, count in closed.items():
                print(json.dumps({"timezone": zone, "num_mobile_users": count}))
            sys.stdout.flush()
