# -*- coding: utf-8 -*-
"""What Herald's API must say about a LogRecord.

Written from the record itself, in the program that logs it: a test compares
the file made of it with the API's answer, field by field.
"""
import datetime
import decimal
import io
import json
import logging
import os
import re

FIELDS = {
    "name": "logger",
    "levelno": "level",
    "levelname": "level_name",
    "module": "module",
    "funcName": "function",
    "pathname": "path",
    "lineno": "line",
    "process": "process",
    "processName": "process_name",
    "thread": "thread",
    "threadName": "thread_name",
    "exc_text": "exception",
    "stack_info": "stack",
    "SYSTEM_ID": "system_id",
    "SUB_SYSTEM_ID": "sub_system_id",
    "SUB_SUB_SYSTEM_ID": "sub_sub_system_id",
    "PRODUKT_ID": "produkt_id",
    "USER_SPEC_1": "user_spec_1",
    "USER_SPEC_2": "user_spec_2",
    "package_version": "package_version",
    "api_version": "api_version",
}
# What other fields say already.
DERIVED = ("msg", "message", "args", "exc_info", "created", "msecs", "filename")
# The handlers' formatters leave these on the record; the wire has them not.
LEFT_BEHIND = ("asctime", "message")


# A narrow Python 2 has pairs of them for what is one character elsewhere.
LONE_SURROGATE = re.compile(
    u"(?<![\ud800-\udbff])[\udc00-\udfff]|[\ud800-\udbff](?![\udc00-\udfff])"
)


def text(value):
    """A text as JSON can have it: lone surrogates in visible form."""
    if isinstance(value, bytes):
        value = value.decode("utf-8")
    return LONE_SURROGATE.sub(lambda found: u"\\u%04x" % ord(found.group()), value)


def rfc3339(seconds):
    """Microseconds, rounded half to even."""
    micros = int(
        (decimal.Decimal(seconds) * 1000000).to_integral_value(
            decimal.ROUND_HALF_EVEN
        )
    )
    moment = datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=micros)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f") + "Z"


def record(log_record, extra):
    """The API's record; `extra` maps keys to what is expected of their values."""
    attributes = log_record.__dict__
    expected = dict((name, u"") for name in FIELDS.values())
    for name in ("level", "line", "process", "thread"):
        expected[name] = 0
    expected["created"] = rfc3339(log_record.created)
    expected["message"] = text(log_record.getMessage())
    others = {}
    for key, value in attributes.items():
        if key in FIELDS:
            # The predecessor's clients say None in words.
            if value is not None and value != "None":
                number = isinstance(value, int) or not hasattr(value, "encode")
                expected[FIELDS[key]] = value if number else text(value)
        elif key in extra:
            others[key] = extra[key]
        elif key not in DERIVED and key not in LEFT_BEHIND and value is not None:
            others[key] = value
    expected["extra"] = others or None
    return expected


class Expecting(logging.Handler):
    """Keeps what is expected of every record; comes after the SocketHandler."""

    def __init__(self):
        logging.Handler.__init__(self)
        self.records = []
        self.extra = {}

    def emit(self, log_record):
        self.records.append(record(log_record, self.extra))

    def write(self, path):
        """One JSON array, whole or not at all."""
        partial = path + ".partial"
        with io.open(partial, "w", encoding="utf-8") as file:
            file.write(u"%s" % json.dumps(self.records))
        os.rename(partial, path)
