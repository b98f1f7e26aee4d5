# -*- coding: utf-8 -*-
"""A program with nothing but the standard library's SocketHandler.

    stock.py HOST PORT SYSTEM_ID EXPECTED.json

Logs one record of every kind that programs log, and writes what the API must
say about them. Runs on CPython 2.7 to 3.14.
"""
from __future__ import print_function

import collections
import datetime
import decimal
import fractions
import logging
import logging.handlers
import sys
import threading
import uuid

import expected

PYTHON_3 = sys.version_info[0] >= 3


class Basket(object):
    """An object of the application's own."""

    def __init__(self):
        self.items = ["bread"]


Point = collections.namedtuple("Point", "x y")


def extras():
    """Key -> (value, what the API must show)."""
    shared = (1, "two")
    yield "a_bool", True, True
    yield "an_int", -7, -7
    yield "a_large_int", 2 ** 40, 2 ** 40
    yield "a_huge_int", 10 ** 30, u"1" + u"0" * 30
    yield "a_float", 0.1, 0.1
    yield "not_a_number", float("nan"), u"nan"
    yield "infinite", -float("inf"), u"-inf"
    yield "a_text", u"Käse", u"Käse"
    yield "an_empty_text", u"", u""
    yield "a_list", [1, [2.5, None], u"x"], [1, [2.5, None], u"x"]
    yield "a_tuple", (1, u"x"), [1, u"x"]
    yield "shared_tuples", [shared, shared], [[1, u"two"], [1, u"two"]]
    yield "a_dict", {u"k": {u"nested": []}}, {u"k": {u"nested": []}}
    yield "int_keys", {1: u"one"}, {u"1": u"one"}
    yield "a_set", set([u"x"]), [u"x"]
    yield "a_frozenset", frozenset([3]), [3]
    yield "an_ordered_dict", collections.OrderedDict([("a", 1)]), {"a": 1}
    yield "a_bytearray", bytearray(b"abc"), u"abc"
    yield "a_decimal", decimal.Decimal("12.50"), u"12.50"
    yield "a_fraction", fractions.Fraction(1, 3), u"1/3"
    yield "a_uuid", uuid.UUID(int=7), u"00000000-0000-0000-0000-000000000007"
    yield "a_complex", complex(1, -2), u"(1-2j)"
    yield "a_date", datetime.date(2024, 2, 29), u"2024-02-29"
    moment = datetime.datetime(2024, 2, 29, 12, 30, 1, 250000)
    yield "a_datetime", moment, u"2024-02-29T12:30:01.250000"
    yield "a_time", datetime.time(12, 30), u"12:30:00"
    yield "a_timedelta", datetime.timedelta(days=1, seconds=2), u"1 day, 0:00:02"
    yield "an_exception", ValueError("no bread"), u"ValueError('no bread')"
    yield "an_object", Basket(), u"<__main__.Basket>"
    yield "a_class", Basket, u"<__main__.Basket>"
    yield "a_surrogate", u"name\udcff.txt", u"name\\udcff.txt"
    yield "dots.and spaces", 1, 1
    if PYTHON_3:
        import enum
        import pathlib

        class Colour(enum.Enum):
            """An application's own enum."""

            RED = 1

        globals()["Colour"] = Colour
        Colour.__qualname__ = "Colour"
        yield "bytes", b"abc", u"abc"
        yield "a_path", pathlib.PurePosixPath("/srv/shop"), u"/srv/shop"
        utc = moment.replace(tzinfo=datetime.timezone.utc)
        yield "an_aware_datetime", utc, u"2024-02-29T12:30:01.250000+00:00"
        # CPython 3.11 pickles a member by name, the others by value.
        by_name = Colour.RED.__reduce_ex__(1)[0] is getattr
        yield "an_enum", Colour.RED, u"Colour.RED" if by_name else u"Colour(1)"


def log_everything(log, expecting):
    """One record of every kind."""
    log.debug("debug")
    log.info("numbers %d and %s", 7, u"text")
    log.warning(u"Grüße, 你好, здравствуйте, \U0001f35e, e\u0301, \u202eright to left")
    log.error("quotes ' \" ` and <b>markup</b> & \\ backslash %")
    log.critical(u"control \x00 \x01 \x1b[31m \x7f \u2028 tab\t line\nfeed\r\n end")
    log.log(35, "a level of its own")
    log.info("")
    log.info(u"surrogate \udc80 alone")
    log.info(u"ä" * 50000)
    log.info("%s", 12345678901234567890123456789)
    try:
        raise ValueError(u"nothing left")
    except ValueError:
        log.exception("with a traceback")
    if PYTHON_3:
        log.info("with a stack", stack_info=True)
    expecting.extra = dict((key, shown) for key, _, shown in extras())
    log.info("everything in extra", extra=dict((k, v) for k, v, _ in extras()))
    expecting.extra = {}
    log.info("versions", extra={"package_version": "1.2.3", "api_version": "7"})
    context = {"PRODUKT_ID": "p", "USER_SPEC_1": u"ü", "USER_SPEC_2": "None"}
    log.info("context", extra=dict(context, SUB_SUB_SYSTEM_ID="worker"))
    thread = threading.Thread(target=log.info, args=("from a thread",), name="baker")
    thread.start()
    thread.join()
    if sys.version_info >= (3, 12):
        import task

        task.run("kneading", log.info, "from a task")


def main():
    """Logs, and says what was logged."""
    host, port, system_id, path = sys.argv[1:]
    logging.addLevelName(35, "NOTICE")
    log = logging.getLogger("shop.till")
    log.setLevel(logging.DEBUG)
    log.addHandler(logging.handlers.SocketHandler(host, int(port)))
    expecting = expected.Expecting()
    log.addHandler(expecting)

    class Context(logging.Filter):
        """What every record of the program has."""

        def filter(self, record):
            record.SYSTEM_ID = system_id
            record.SUB_SYSTEM_ID = "till-1"
            return True

    log.addFilter(Context())
    log_everything(log, expecting)
    logging.shutdown()
    expecting.write(path)


if __name__ == "__main__":
    main()
