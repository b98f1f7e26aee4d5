"""A program with HeraldHandler, for the stories about it.

    acknowledged.py MODE HOST PORT SYSTEM_ID [COUNT]

Prints one JSON object about what it has seen.
"""
import json
import logging
import logging.config
import logging.handlers
import os
import pathlib
import sys
import threading
import time

import herald_logging


def start(host, port, system_id, **options):
    """The logger `acknowledged` with a handler of these options."""
    handler = herald_logging.HeraldHandler(host, int(port), **options)
    log = logging.getLogger("acknowledged")
    log.setLevel(logging.DEBUG)
    log.propagate = False
    log.addHandler(handler)
    log.addFilter(Filter(system_id))
    return log, handler


class Filter(logging.Filter):
    """Adds the system to every record."""

    def __init__(self, system_id):
        super().__init__()
        self.system_id = system_id

    def filter(self, record):
        record.SYSTEM_ID = self.system_id
        return True


def steady(host, port, system_id, count):
    """Logs COUNT records a little below 2,000 a second; the slowest call counts."""
    log, handler = start(host, port, system_id, close_seconds=60.0,
                         buffer_records=20000)
    slowest = 0.0
    begun = time.perf_counter()
    for number in range(int(count)):
        while number > (time.perf_counter() - begun) * 2000:
            time.sleep(0.001)
        before = time.perf_counter()
        log.info("record %d", number)
        slowest = max(slowest, time.perf_counter() - before)
    flushed = handler.flush()
    logging.shutdown()
    return {"flushed": flushed, "dropped": handler.dropped, "pending": handler.pending,
            "slowest_ms": slowest * 1e3}


def flood(host, port, system_id, count):
    """Logs COUNT records as fast as it goes, and waits for a place for each."""
    log, handler = start(host, port, system_id, when_full="block", block_seconds=120.0,
                         buffer_records=2000)
    for number in range(int(count)):
        log.info("record %d", number)
    flushed = handler.flush(120.0)
    logging.shutdown()
    return {"flushed": flushed, "dropped": handler.dropped}


def early(host, port, system_id, count):
    """Logs before there is a bridge, and ends when all is acknowledged."""
    log, handler = start(host, port, system_id)
    before = time.perf_counter()
    for number in range(int(count)):
        log.info("record %d", number)
    slowest = time.perf_counter() - before
    print("logged", flush=True)
    return {"flushed": handler.flush(60.0), "seconds": slowest}


def drops(host, port, system_id, count):
    """Logs more than there is room for, and waits until the loss is told."""
    log, handler = start(host, port, system_id, buffer_records=100)
    before = time.perf_counter()
    for number in range(int(count)):
        log.info("record %d", number)
    seconds = time.perf_counter() - before
    print("logged", flush=True)
    return {"flushed": handler.flush(60.0), "dropped": handler.dropped,
            "seconds": seconds}


def fork(host, port, system_id, count):
    """A parent and its children log, and each loses and doubles nothing."""
    import multiprocessing

    log, handler = start(host, port, system_id)
    numbers = range(int(count))
    for number in numbers:
        log.info("parent %d", number)
    children = []
    for child in range(3):
        process = os.fork()
        if process == 0:
            for number in numbers:
                log.info("child %d %d", child, number)
            logging.shutdown()
            os._exit(0 if handler.pending == 0 else 1)
        children.append(process)
    statuses = [os.waitpid(process, 0)[1] for process in children]
    # Children of multiprocessing end without atexit.
    method = multiprocessing.get_context("fork")
    pool = [method.Process(target=log_all, args=(log, "worker %d" % n, numbers))
            for n in range(2)]
    for process in pool:
        process.start()
    for process in pool:
        process.join()
    for number in numbers:
        log.info("again %d", number)
    return {"flushed": handler.flush(30.0), "statuses": statuses,
            "dropped": handler.dropped}


def log_all(log, name, numbers):
    """What a child does."""
    for number in numbers:
        log.info("%s %d", name, number)


def configured(host, port, system_id, _count):
    """Handlers by dictConfig, by fileConfig, and in the place of a standard one."""
    logging.config.dictConfig({
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"own": {"format": "%(message)s"}},
        "filters": {"own": {"()": Filter, "system_id": system_id}},
        "handlers": {"herald": {
            "class": "herald_logging.HeraldHandler",
            "formatter": "own",
            "filters": ["own"],
            "host": host,
            "port": port,
            "buffer_records": 50,
            "when_full": "block",
        }},
        "loggers": {"by_dict": {"level": "INFO", "handlers": ["herald"]}},
    })
    logging.getLogger("by_dict").info("by dictConfig")
    file = pathlib.Path("logging.ini")
    file.write_text("\n".join([
        "[loggers]", "keys = root,file",
        "[handlers]", "keys = herald",
        "[formatters]", "keys =",
        "[logger_root]", "handlers =",
        "[logger_file]", "qualname = by_file", "handlers = herald", "level = INFO",
        "[handler_herald]", "class = herald_logging.HeraldHandler",
        "args = (%r, %r)" % (host, int(port)),
        "kwargs = {'close_seconds': 9.0}",
    ]))
    logging.config.fileConfig(str(file), disable_existing_loggers=False)
    log = logging.getLogger("by_file")
    log.addFilter(Filter(system_id))
    log.info("by fileConfig")
    log = logging.getLogger("adopted")
    log.setLevel(logging.INFO)
    stock = logging.handlers.SocketHandler(host, int(port))
    stock.setLevel(logging.WARNING)
    stock.addFilter(Filter(system_id))
    log.addHandler(stock)
    adopted = herald_logging.adopt(log)
    log.info("below its level")
    log.warning("adopted")
    # The rest is the end of the program: nothing is flushed here.
    return {"adopted": adopted, "handlers": [type(h).__name__ for h in log.handlers]}


def threads(host, port, system_id, count):
    """Many threads log at once, also while something is being logged."""
    log, handler = start(host, port, system_id)

    class Chatty:
        """Logs when it is logged."""

        def __repr__(self):
            log.info("inner", extra={"chatty": self})
            return "chatty"

    def run(name):
        for number in range(int(count)):
            log.info("%s %d", name, number)

    running = [threading.Thread(target=run, args=("thread %d" % n,)) for n in range(8)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    log.info("outer", extra={"chatty": Chatty()})
    return {"flushed": handler.flush(30.0), "dropped": handler.dropped}


def everything(host, port, system_id, path):
    """Logs one record of every kind that programs log, as stock.py does."""
    import stock

    logging.handlers.SocketHandler = herald_logging.HeraldHandler
    sys.argv[1:] = [host, port, system_id, path]
    stock.main()
    return {}


def encrypted(host, port, authority, count):
    """Logs COUNT records over TLS, one of them long."""
    log, handler = start(host, port, "encrypted", tls_ca=authority)
    for number in range(int(count)):
        log.info("record %d", number)
    log.info("x" * 300000)
    return {"flushed": handler.flush(30.0), "dropped": handler.dropped}


def main():
    """Does what the mode says."""
    mode, host, port, system_id = sys.argv[1:5]
    count = sys.argv[5] if len(sys.argv) > 5 else "0"
    seen = globals()[mode](host, port, system_id, count)
    print(json.dumps(seen), flush=True)


if __name__ == "__main__":
    main()
