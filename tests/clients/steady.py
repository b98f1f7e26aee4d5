"""A program that logs at a steady rate and watches how long log calls take.

    steady.py HOST PORT SYSTEM_ID RATE SECONDS

Prints one JSON object: how many records it logged, and how long the slowest
log call and the 99.9th percentile took, in milliseconds.
"""
import json
import logging
import logging.handlers
import sys
import time


def main():
    """Logs in small steps, so that the rate holds."""
    host, port, system_id, rate, seconds = sys.argv[1:]
    rate, seconds = int(rate), float(seconds)
    log = logging.getLogger("steady")
    log.setLevel(logging.DEBUG)
    log.propagate = False
    log.addHandler(logging.handlers.SocketHandler(host, int(port)))
    extra = {"SYSTEM_ID": system_id}
    durations = []
    start = time.perf_counter()
    while True:
        now = time.perf_counter() - start
        if now >= seconds:
            break
        for number in range(len(durations), int(now * rate)):
            before = time.perf_counter()
            log.info("record %d", number, extra=extra)
            durations.append(time.perf_counter() - before)
        time.sleep(0.001)
    logging.shutdown()
    durations.sort()
    answer = {
        "logged": len(durations),
        "slowest_ms": durations[-1] * 1e3,
        "p999_ms": durations[int(len(durations) * 0.999)] * 1e3,
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
