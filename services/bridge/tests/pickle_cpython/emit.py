# -*- coding: utf-8 -*-
"""Pickles many values with every protocol this Python has, and says what each
must be shown as. Runs under Python 2.7 and every 3.

Usage: emit.py SEED COUNT. Output, per case: length and bytes of a frame,
length and bytes of a JSON object {label, fields}; lengths as 4 bytes,
big-endian. Fields are those of Herald's record; extra is given as a value.
"""

import collections
import datetime
import decimal
import fractions
import json
import logging
import logging.handlers
import math
import pickle
import random
import struct
import sys
import uuid

PY2 = sys.version_info[0] == 2
PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
if PY2:
    import cPickle

    text_type, byte_type, int_types = unicode, str, (int, long)  # noqa: F821
    code_point = unichr  # noqa: F821
else:
    text_type, byte_type, int_types = str, bytes, (int,)
    code_point = chr


class Own(object):
    def __init__(self):
        self.secret = [1, 2, {"deep": (3,)}]


class Empty(object):
    pass


class OldStyle:
    def __init__(self):
        self.number = 1


class OldStyleWithArguments:
    def __getinitargs__(self):
        return (1, u"two")


class Slotted(object):
    __slots__ = ("value",)

    def __init__(self):
        self.value = 1

    def __getstate__(self):
        return (None, {"value": 1})

    def __setstate__(self, state):
        pass


class Outer(object):
    class Inner(object):
        pass


class KeywordsOnly(object):
    def __new__(cls, **keywords):
        return object.__new__(cls)

    def __getnewargs_ex__(self):
        return (1, u"a"), {"b": 2}

    def __reduce_ex__(self, protocol):
        if protocol < 2:
            return KeywordsOnly, ()
        return object.__reduce_ex__(self, protocol)


class MyError(Exception):
    pass


class StatefulError(Exception):
    def __init__(self, *arguments):
        Exception.__init__(self, *arguments)
        self.code = 5


class MyInt(int):
    pass


class MyText(text_type):
    pass


class MyList(list):
    pass


class MyDict(dict):
    pass


class MyTuple(tuple):
    pass


class Zone(datetime.tzinfo):
    def utcoffset(self, moment):
        return datetime.timedelta(hours=1)

    def dst(self, moment):
        return datetime.timedelta(0)


Point = collections.namedtuple("Point", "x y")


def text(value):
    """A text as Herald shows it: lone surrogates as six characters."""
    if PY2:
        return value
    return "".join(
        "\\u%04x" % ord(c) if 0xD800 <= ord(c) < 0xE000 else c for c in value
    )


def readable(value):
    """Bytes as Herald shows them: UTF-8, or escapes for what is none."""
    result, at = u"", 0
    value = bytes(value)
    while at < len(value):
        for length in (1, 2, 3, 4):
            try:
                result += value[at:at + length].decode("utf-8")
                at += length
                break
            except UnicodeDecodeError:
                pass
        else:
            result += u"\\x%02x" % bytearray(value)[at]
            at += 1
    return result


def key(value):
    if isinstance(value, text_type):
        return text(value)
    if isinstance(value, byte_type):
        return readable(value)
    if isinstance(value, tuple):
        parts = [u"'%s'" % part if isinstance(part, text_type) else key(part) for part in value]
        return u"(%s)" % (u", ".join(parts) + (u"," if len(parts) == 1 else u""))
    return u"%s" % (value,)


def shown(value):
    """What plain values are shown as."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int_types):
        return value if -(2**63) <= value < 2**64 else str(value)
    if isinstance(value, float):
        return value if value - value == 0 else repr(value)
    if isinstance(value, text_type):
        return text(value)
    if isinstance(value, (byte_type, bytearray)):
        return readable(value)
    if isinstance(value, dict):
        return dict((key(k), shown(v)) for k, v in value.items())
    if isinstance(value, (list, tuple, set, frozenset, collections.deque)):
        return [shown(part) for part in value]
    raise TypeError(type(value))


def plain_values():
    shared = (1, u"shared", (2,))
    same = [u"same"]
    deep = []
    for _ in range(63):
        deep = [deep]
    values = [
        None, True, False, 0, 1, -1, 255, 256, 65535, 65536, 2**31 - 1, 2**31,
        -(2**31), -(2**31) - 1, 2**32, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1,
        2**64 - 1, 2**64, -(2**64), 2**200, -(2**200), 10**300, 2**2040,
        0.0, -0.0, 0.1, 1e16, 1e-7, 1e300, 5e-324, 1.7976931348623157e308,
        float("inf"), float("-inf"), float("nan"),
        u"", u"a", u"grün €", u"\U0001f600", u"line\nfeed\r\ttab \\ \" '", u"\0nul\x1a",
        u"\\u0041 \\U00000041 \\x41", u"\x7f\x80\xff\u0100\uffff", u"x" * 255, u"x" * 256,
        u"y" * 100000, u"ü" * 70000,
        b"", b"bytes", b"gr\xc3\xbcn", b"gr\xfcn", b"\x00\xff'\"\\\n", bytes(bytearray(range(256))),
        b"z" * 300, b"\xff" * 70000,
        bytearray(b""), bytearray(b"array"), bytearray(b"\xff\x00"), bytearray(b"q" * 300),
        (), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), [], [1], [[], [[]]], {}, {u"a": 1},
        [shared, shared, [shared]], [same, same], {u"x": same, u"y": (same, same)},
        {1: u"int", None: u"none", True: u"true"}, {(1, u"a"): 1, (2,): 2}, {b"bytes": 1},
        set(), set([1]), set([1, u"a", (2, 3)]), frozenset(), frozenset([u"f"]), set(range(2500)),
        list(range(5000)), dict((u"k%d" % n, n) for n in range(3000)), tuple(range(3000)),
        deep, collections.deque(), collections.deque([1, 2]), collections.deque([1, 2], 5),
    ]
    if not PY2:
        values += ["\udcff", "a\ud800b\udfffc", {"\udc80": "\udc81"}, "\ud83d\ude00", 10**4299]
    return [(repr(value)[:60], value, shown(value)) for value in values]


def objects():
    day = datetime.date(2026, 11, 23)
    noon = datetime.datetime(2026, 11, 23, 12, 13, 14, 345)
    whole = datetime.datetime(1, 1, 1)
    own_zone = noon.replace(tzinfo=Zone())
    ordered = collections.OrderedDict([(u"z", 1), (u"a", [2])])
    grouped = collections.defaultdict(list, {u"k": [1]})
    identity = uuid.UUID("12345678-1234-5678-8234-567812345678")
    small = uuid.UUID(int=5)
    by_value = [
        (day, day.isoformat()), (noon, noon.isoformat()), (whole, whole.isoformat()),
        (own_zone, noon.isoformat() + "[__main__.Zone]"),
        (noon.time(), noon.time().isoformat()),
        (datetime.timedelta(days=1, seconds=5), "1 day, 0:00:05"),
        (datetime.timedelta(-1, 1, 5), "-1 day, 0:00:01.000005"),
        (datetime.timedelta(0), "0:00:00"),
        (decimal.Decimal("1.50"), "1.50"), (decimal.Decimal("NaN"), "NaN"),
        (decimal.Decimal("-1E+30"), "-1E+30"),
        (fractions.Fraction(1, 3), "1/3"), (identity, str(identity)), (small, str(small)),
        (1 + 2j, "(1+2j)"), (-1.5 - 0.5j, "(-1.5-0.5j)"),
        (ValueError(u"x"), "ValueError('x')"), (MyError(), "MyError()"),
        (MyError(1, u"two", None, [3]), "MyError(1, 'two', None, [3])"),
        (StatefulError(u"it's", 2.5), "StatefulError(\"it's\", 2.5)"),
        (KeyError((1,)), "KeyError((1,))"),
        (Own(), "<__main__.Own>"), (Empty(), "<__main__.Empty>"), (Slotted(), "<__main__.Slotted>"),
        (Point(1, u"y"), "Point(1, 'y')"), (MyTuple((1, 2)), None),
        (MyInt(5), "MyInt(5)"), (MyText(u"t"), "MyText('t')"),
        (MyList([1, 2]), [1, 2]), (MyDict({u"a": 1}), {"a": 1}),
        (ordered, {"z": 1, "a": [2]}), (grouped, {"k": [1]}), (collections.OrderedDict(), {}),
        (collections.Counter(u"aab"), {"a": 2, "b": 1}),
        (int, "<builtins.int>"), (len, "<builtins.len>"), (json.dumps, "<json.dumps>"),
        (Own, "<__main__.Own>"),
        ([Own(), {u"k": ValueError(noon, Own())}],
         ["<__main__.Own>", {"k": "ValueError(%s, <__main__.Own>)" % noon.isoformat()}]),
        ({day: 1, decimal.Decimal(5): 2, MyInt(7): 3}, {day.isoformat(): 1, "5": 2, "MyInt(7)": 3}),
    ]
    cases = [(repr(value), value, expected) for value, expected in by_value if expected is not None]
    cases += recursive()
    if PY2:
        cases.append(("old style", OldStyle(), "<__main__.OldStyle>"))
        cases.append(("old style", OldStyleWithArguments(), "OldStyleWithArguments(1, 'two')"))
        return cases
    return cases + objects_of_python3(noon)


def recursive():
    in_list, in_dict, in_tuple = [], {}, ([1],)
    in_list.append(in_list)
    in_dict[u"self"] = in_dict
    in_tuple[0].append(in_tuple)
    holder = Own()
    holder.self = holder
    return [
        ("list in itself", in_list, ["<cycle>"]),
        ("dict in itself", in_dict, {"self": "<cycle>"}),
        ("tuple in itself", in_tuple, [[1, "<cycle>"]]),
        ("object in itself", holder, "<__main__.Own>"),
    ]


def objects_of_python3(noon):
    import enum
    import ipaddress
    import pathlib

    class Color(enum.Enum):
        RED = 1
        NAME = "n"

    Color.__qualname__ = "Color"
    globals()["Color"] = Color
    utc = datetime.timezone.utc
    west = datetime.timezone(datetime.timedelta(hours=-3, minutes=-30))
    named = datetime.timezone(datetime.timedelta(hours=2), "CEST")
    values = [noon.replace(tzinfo=zone) for zone in (utc, west, named)]
    values += [noon.replace(fold=1), noon.time().replace(tzinfo=west), noon.time().replace(fold=1)]
    cases = [(repr(value), value, value.isoformat()) for value in values]
    cases += [(repr(zone), zone, str(zone)) for zone in (utc, west)]
    for path in ("/a/b", "/", "a", "a/b c"):
        cases.append((path, pathlib.PurePosixPath(path), path))
    cases.append(("C:", pathlib.PureWindowsPath("C:\\a\\b"), "C:\\a\\b"))
    cases += [
        ("enum", Color.RED, ["Color(1)", "Color.RED"]), ("enum", Color.NAME, ["Color('n')", "Color.NAME"]),
        ("range", range(5), "range(0, 5, 1)"), ("slice", slice(1, 2), "slice(1, 2, None)"),
        ("address", ipaddress.ip_address("10.0.0.1"), "10.0.0.1"),
        ("address", ipaddress.ip_address("fd00::1:2"), "fd00::1:2"),
        ("network", ipaddress.ip_network("10.0.0.0/8"), "10.0.0.0/8"),
        ("inner", Outer.Inner(), "<__main__.Outer.Inner>"),
        ("keywords", KeywordsOnly(), ["KeywordsOnly()", "KeywordsOnly(1, 'a')"]),
    ]
    try:
        import zoneinfo

        zone = zoneinfo.ZoneInfo("Europe/Zurich")
        cases.append(("zone", noon.replace(tzinfo=zone), noon.isoformat() + "[Europe/Zurich]"))
    except Exception:  # before 3.9, or no time zones on this machine
        pass
    # A choice of two: which one it is depends on the version and the protocol.
    return [
        (label, value, {"one of": expected} if isinstance(expected, list) else expected)
        for label, value, expected in cases
    ]


def random_text(source):
    ranges = [(0, 0x7F), (0x20, 0x7E), (0x80, 0x7FF), (0x800, 0xD7FF)]
    if sys.maxunicode > 0xFFFF:
        ranges.append((0x10000, 0x10FFFF))
    if not PY2:
        ranges.append((0xD800, 0xDFFF))
    return u"".join(
        code_point(source.randint(*source.choice(ranges))) for _ in range(source.randint(0, 12))
    )


def random_value(source, depth):
    kind = source.randint(0, 10 if depth else 6)
    if kind == 0:
        return source.choice([None, True, False])
    if kind in (1, 2):
        return source.randint(-(2 ** source.randint(1, 300)), 2 ** source.randint(1, 300))
    if kind == 3:
        return struct.unpack(">d", struct.pack(">Q", source.getrandbits(64)))[0]
    if kind == 4:
        return source.uniform(-1e6, 1e6)
    if kind in (5, 6):
        return random_text(source)
    parts = [random_value(source, depth - 1) for _ in range(source.randint(0, 5))]
    if kind == 7:
        return tuple(parts)
    if kind in (8, 9):
        return parts + parts[:1]
    return dict((random_text(source), part) for part in parts)


def micros(seconds):
    fraction, whole = math.modf(seconds)
    fraction = (decimal.Decimal(fraction) * 1000000).quantize(0, decimal.ROUND_HALF_EVEN)
    return int(whole) * 1000000 + int(fraction)


def string(value):
    if value is None or value == "None":
        return ""
    return readable(value) if isinstance(value, byte_type) else text(value)


def fields_of(record, extra):
    """The fields of a record that the handler has formatted."""
    names = {
        "logger": "name", "level_name": "levelname", "path": "pathname", "module": "module",
        "function": "funcName", "process_name": "processName", "thread_name": "threadName",
        "exception": "exc_text", "stack": "stack_info", "package_version": "package_version",
        "api_version": "api_version", "system_id": "SYSTEM_ID", "sub_system_id": "SUB_SYSTEM_ID",
        "sub_sub_system_id": "SUB_SUB_SYSTEM_ID", "produkt_id": "PRODUKT_ID",
        "user_spec_1": "USER_SPEC_1", "user_spec_2": "USER_SPEC_2",
    }
    numbers = {"level": "levelno", "line": "lineno", "process": "process", "thread": "thread"}
    fields = dict((ours, string(getattr(record, name, None))) for ours, name in names.items())
    fields.update((ours, getattr(record, name) or 0) for ours, name in numbers.items())
    fields["message"] = string(record.getMessage())
    fields["created_us"] = micros(record.created)
    fields["extra"] = dict((name, value) for name, value in extra.items() if name not in names.values())
    fields["extra"]["relativeCreated"] = record.relativeCreated
    if getattr(record, "taskName", None) is not None:
        fields["extra"]["taskName"] = record.taskName
    if PY2 and getattr(record, "asctime", None):
        fields["extra"]["asctime"] = record.asctime
    return fields


class Capture(logging.handlers.SocketHandler):
    """The stock handler, but what it would send is kept."""

    def __init__(self):
        logging.handlers.SocketHandler.__init__(self, "localhost", 1)
        self.seen = []

    def emit(self, record):
        self.seen.append((record, self.makePickle(record)))


def records(cases):
    handler = Capture()
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(1)
    logger = logging.getLogger("shop.payment")
    context = {
        "package_version": "1.4.2", "SYSTEM_ID": "shop", "SUB_SYSTEM_ID": "host-17",
        "SUB_SUB_SYSTEM_ID": "None", "PRODUKT_ID": "None", "USER_SPEC_1": u"grün",
        "USER_SPEC_2": "None", "api_version": "None",
    }
    calls = [
        (lambda: logger.info("plain"), {}),
        (lambda: logger.debug("with %s and %d", u"arguments", 5), {}),
        (lambda: logger.warning(u"ünïcode \U0001f600 \0 € "), {}),
        (lambda: logger.critical("m" * 100000), {}),
        (lambda: logger.log(35, "between"), {}),
        (lambda: logging.getLogger(u"größe").error(u""), {}),
        (lambda: logger.error(ValueError("an object as message")), {}),
        (lambda: logger.info("context", extra=context), context),
    ]
    for call, extra in calls:
        call()
        yield_record(handler, extra, extra)
    try:
        {}["missing"]
    except KeyError:
        logger.exception("it failed")
    yield_record(handler, {}, {})
    if not PY2:
        logger.info("stack", stack_info=True)
        yield_record(handler, {}, {})
    if sys.version_info >= (3, 12) and sys.platform != "emscripten":
        # Python 2 cannot even parse it, and WebAssembly has no event loop to run.
        program = "import asyncio\nasync def task():\n    logger.info('in a task')\nasyncio.run(task())"
        exec(program, {"logger": logger})
        yield_record(handler, {}, {})
    for label, value, expected in cases:
        if isinstance(value, KeywordsOnly):
            continue
        logger.info("extra", extra={"value": value, "other": "after"})
        yield_record(handler, {"value": value, "other": "after"}, {"value": expected, "other": "after"})
    root.removeHandler(handler)


def yield_record(handler, extra, expected):
    record, frame = handler.seen.pop()
    fields = fields_of(record, expected)
    out("record %r" % (sorted(extra),), frame[4:], fields)
    content = dict(record.__dict__, msg=record.getMessage(), args=None, exc_info=None)
    if not PY2:
        content.pop("message", None)
    for protocol in PROTOCOLS if "other" not in extra else PROTOCOLS[-1:]:
        out("record, protocol %d" % protocol, pickle.dumps(content, protocol), fields)


def out(label, frame, fields):
    stream = getattr(sys.stdout, "buffer", sys.stdout)
    expected = json.dumps({"label": label, "fields": fields}).encode("ascii")
    for part in (frame, expected):
        stream.write(struct.pack(">L", len(part)) + part)


def dump_all(label, value, expected):
    content = {"msg": u"", u"value": value}
    for protocol in PROTOCOLS:
        fields = {"extra": {"value": expected}}
        name = "%s, protocol %d" % (label, protocol)
        out(name, pickle.dumps(content, protocol), fields)
        if PY2:
            out(name + " in C", cPickle.dumps(content, protocol), fields)
        else:
            out(name + " in Python", pickle._dumps(content, protocol), fields)


def main():
    seed, count = int(sys.argv[1]), int(sys.argv[2])
    cases = plain_values() + objects()
    for label, value, expected in cases:
        dump_all(label, value, expected)
    source = random.Random(seed)
    for number in range(count):
        value = random_value(source, 4)
        dump_all("random value %d" % number, value, shown(value))
    records(cases)


if __name__ == "__main__":
    main()
