"""Logs numbered records at a steady rate with the handler of Python's standard library.

    stock.py HOST PORT RUN RATE SECONDS

Prints one JSON object: how many it logged, and over how many connections. What the handler
drops when a connection ends is its own doing: it sends nothing twice and waits for nothing.
"""
import json
import logging
import logging.handlers
import sys
import time


class Handler(logging.handlers.SocketHandler):
    """The standard one, which also counts its connections."""

    connections = 0

    def makeSocket(self, timeout=1):
        connection = super().makeSocket(timeout)
        self.connections += 1
        return connection


def main():
    host, port, run, rate, seconds = sys.argv[1:]
    rate, seconds = int(rate), float(seconds)
    handler, number = Handler(host, int(port)), 0
    log = logging.getLogger("stock")
    log.setLevel(logging.INFO)
    log.propagate = False
    log.addHandler(handler)
    start = time.monotonic()
    while (now := time.monotonic() - start) < seconds:
        while number < int(now * rate):
            extra = {"SYSTEM_ID": "load", "USER_SPEC_1": run, "USER_SPEC_2": str(number)}
            log.info("record %d", number, extra=extra)
            number += 1
        time.sleep(0.001)
    logging.shutdown()
    print(json.dumps({"sent": number, "connections": handler.connections}))


if __name__ == "__main__":
    main()
