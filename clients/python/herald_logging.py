"""Logging to Herald that loses nothing when a bridge restarts.

`HeraldHandler` stands where `logging.handlers.SocketHandler` stands, with the same
arguments. It numbers records and keeps each one until the bridge has it on disk and
says so; after a cut it sends again what was not acknowledged, and the bridge knows by
the numbers what it has. A thread of its own does that: a log call only puts the record
into a buffer in memory.

    logging.getLogger().addHandler(HeraldHandler("localhost", 9020))

Standard library only, Python 3.8 and later. The protocol is in docs/programs.md of
Herald.
"""
from __future__ import annotations

import collections
import datetime
import decimal
# What a first connection would import: after a fork in the midst of that the child waits
# for ever.
import encodings.idna  # noqa: F401  pylint: disable=unused-import
import json
import logging
import logging.handlers
import os
import pathlib
import random
import selectors
import socket
import ssl
import struct
import sys
import threading
import time
import uuid
import weakref
from typing import Any, Dict, Optional, Union

__all__ = ["HeraldHandler", "adopt"]
__version__ = "1.0.0"

_VERSION = 1
_LENGTH = struct.Struct(">I")
_HEAD = struct.Struct(">IQ")
_CHUNK_BYTES = 64 * 1024
_ANSWER_BYTES = 64 * 1024
_CONNECT_SECONDS = 5.0
_HELLO_SECONDS = 10.0
# The bridge repeats itself every 10 s while something is not acknowledged.
_SILENCE_SECONDS = 30.0
_IN_A_HURRY_SECONDS = 0.1
# Records that are logged by what is done for a record, such as its repr.
_DEPTH = 3
# Ends of a connection that are no news.
_USUAL = ("shutdown", "idle for too long")
_CONTEXT = (
    "SYSTEM_ID", "SUB_SYSTEM_ID", "SUB_SUB_SYSTEM_ID", "PRODUKT_ID",
    "USER_SPEC_1", "USER_SPEC_2", "package_version",
)
_Selector = getattr(selectors, "PollSelector", selectors.SelectSelector)
_FORMATTER = logging.Formatter()


class _Refused(Exception):
    """The bridge says why it does not go on."""


class HeraldHandler(logging.handlers.SocketHandler):
    """Sends records to a Herald bridge and keeps them until they are acknowledged.

    host, port: as for SocketHandler: the bridge, or a Unix socket if port is None.
    buffer_records, buffer_bytes: the most that is kept in memory while it is not
        acknowledged.
    when_full: what a log call does then: "drop" its record, or "block" for at most
        block_seconds and drop it after that. What was dropped is counted in `dropped`,
        and a record tells of it as soon as there is room again.
    close_seconds: how long flush() and close(), and so logging.shutdown() at the end
        of the program, wait for acknowledgements.
    ssl_context: encrypts with it. Or tls_ca, a file of authorities, and tls_cert and
        tls_key, files of what the program shows.
    """

    def __init__(
        self,
        host: str,
        port: Union[int, str, None],
        *,
        buffer_records: int = 10_000,
        buffer_bytes: int = 16 * 1024 * 1024,
        when_full: str = "drop",
        block_seconds: float = 1.0,
        close_seconds: float = 5.0,
        ssl_context: Optional[ssl.SSLContext] = None,
        tls_ca: Optional[str] = None,
        tls_cert: Optional[str] = None,
        tls_key: Optional[str] = None,
    ) -> None:
        if when_full not in ("drop", "block"):
            raise ValueError("when_full is 'drop' or 'block', not %r" % (when_full,))
        if buffer_records < 1 or buffer_bytes < 1:
            raise ValueError("a buffer has room for something")
        super().__init__(host, None if port is None else int(port))
        self.buffer_records = buffer_records
        self.buffer_bytes = buffer_bytes
        self.when_full = when_full
        self.block_seconds = block_seconds
        self.close_seconds = close_seconds
        if ssl_context is None and (tls_ca or tls_cert):
            ssl_context = ssl.create_default_context(cafile=tls_ca)
            if tls_cert:
                ssl_context.load_cert_chain(tls_cert, tls_key)
        self.ssl_context = ssl_context
        self.retryStart = 0.1
        self.retryMax = 10.0
        self._begin()
        _handlers.add(self)

    def _begin(self) -> None:
        """A stream and a buffer of this process, with nothing in them."""
        # One lock for all below; signal handlers and finalizers may log at any time.
        lock = threading.RLock()
        # What flush() and blocked log calls wait for, and what the thread waits for.
        self._changed = threading.Condition(lock)
        self._work = threading.Condition(lock)
        self._inside = threading.local()
        self._random = random.Random()
        self._stream = uuid.uuid4().hex
        # The number of the oldest record that is not acknowledged.
        self._first = 1
        # Not acknowledged, in order: first those that were sent, then the others.
        self._sent: collections.deque[bytes] = collections.deque()
        self._waiting: collections.deque[bytes] = collections.deque()
        self._bytes = 0
        self._accepted = 0
        self._acknowledged = 0
        self.dropped = 0
        self._untold = 0
        self._context: Dict[str, Any] = {}
        self._thread: Optional[threading.Thread] = None
        self._bell: Optional[tuple] = None
        # The thread waits for anything to do, or for its socket.
        self._idle = False
        self._asleep = False
        self._hurry = 0
        self._closing = False
        self._gave_up_at = float("-inf")
        self._complaint = ""
        self._finalized = False

    @property
    def pending(self) -> int:
        """How many records are not acknowledged."""
        return self._accepted - self._acknowledged

    # What log calls do.

    def handle(self, record: logging.LogRecord) -> Any:
        """Filters and buffers a record. Log calls do not wait for each other."""
        passed = self.filter(record)
        if isinstance(passed, logging.LogRecord):
            record = passed
        if passed:
            self.emit(record)
        return passed

    def emit(self, record: logging.LogRecord) -> None:
        """Buffers a record, or drops and counts it."""
        depth = getattr(self._inside, "depth", 0)
        if depth >= _DEPTH:
            # Logged by what is done for another record: that would never end.
            self._drop(record)
            return
        self._inside.depth = depth + 1
        try:
            self._put(self.encode(record), record)
        except Exception:  # pylint: disable=broad-except
            self.handleError(record)
        finally:
            self._inside.depth = depth

    def encode(self, record: logging.LogRecord) -> bytes:
        """The record as JSON, with the names of its attributes."""
        if record.exc_info and not record.exc_text:
            formatter = self.formatter or _FORMATTER
            record.exc_text = formatter.formatException(record.exc_info)
        fields = dict(record.__dict__)
        fields["msg"] = record.getMessage()
        for name in ("args", "exc_info", "message"):
            fields.pop(name, None)
        return _json(fields)

    def _put(self, body: bytes, record: logging.LogRecord) -> None:
        with self._changed:
            may_fit = len(body) <= self.buffer_bytes and self.when_full == "block"
            if may_fit and not self._has_room(len(body)):
                self._changed.wait_for(
                    lambda: self._has_room(len(body)), self.block_seconds)
            if not self._has_room(len(body)):
                self._drop(record)
                return
            self._tell_drops()
            self._append(body)
            self._closing = False
            self._start()
            self._wake()

    def _has_room(self, size: int) -> bool:
        # The record about drops goes first; it is small.
        records = 2 if self._untold else 1
        most = max(self.buffer_records, records)
        return self.pending + records <= most and self._bytes + size <= self.buffer_bytes

    def _append(self, body: bytes) -> None:
        self._waiting.append(body)
        self._bytes += len(body)
        self._accepted += 1

    def _drop(self, record: logging.LogRecord) -> None:
        with self._changed:
            if not self._untold:
                fields = record.__dict__
                self._context = {
                    name: fields[name] for name in _CONTEXT if name in fields}
            self.dropped += 1
            self._untold += 1

    def _tell_drops(self) -> None:
        """Buffers a record about what was dropped since the last one."""
        if not self._untold:
            return
        count, self._untold = self._untold, 0
        self._append(_json(dict(
            self._context,
            name="herald_logging",
            msg="%d records were dropped: the buffer of the program was full" % count,
            levelno=logging.WARNING,
            levelname="WARNING",
            created=time.time(),
            process=os.getpid(),
            dropped_records=count,
        )))

    # What the program waits for.

    def flush(self, timeout: Optional[float] = None) -> bool:
        """Waits until all that was logged is acknowledged, for at most `timeout`
        seconds (else close_seconds). Says whether it is."""
        deadline = time.monotonic() + (self.close_seconds if timeout is None else timeout)
        with self._changed:
            self._tell_drops()
            goal = self._accepted
            if self._acknowledged >= goal:
                return True
            self._hurry += 1
            has_thread = self._start()
            self._work.notify_all()
            self._wake()
        try:
            if not has_thread:
                self._run(deadline)
            with self._changed:
                done = self._changed.wait_for(
                    lambda: self._acknowledged >= goal,
                    max(0.0, deadline - time.monotonic()))
                if not done:
                    self._gave_up_at = time.monotonic()
                return done
        finally:
            with self._changed:
                self._hurry -= 1

    def close(self) -> None:
        """Waits as flush() does, unless that has just failed, and ends the
        connection. Says on stderr what was not acknowledged."""
        has_waited = time.monotonic() - self._gave_up_at < 1.0
        self.flush(0.0 if has_waited else None)
        with self._changed:
            self._closing = True
            self._work.notify_all()
            self._wake()
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(1.0)
        if self.pending:
            self._complain("%d records were not acknowledged at the end" % self.pending)
        with self._changed:
            if not (thread and thread.is_alive()):
                self._disconnect()
                self._thread = None
                for end in self._bell or ():
                    end.close()
                self._bell = None
        logging.Handler.close(self)

    # What the thread does.

    def _start(self) -> bool:
        """Makes sure that there is a thread. False when there cannot be one any more,
        because the interpreter is ending: flush() and close() do its work then."""
        if self._thread is not None and self._thread.is_alive():
            return True
        if self._bell is None:
            self._bell = socket.socketpair()
            for end in self._bell:
                end.setblocking(False)
        thread = threading.Thread(target=self._run, name="herald-logging", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            return False
        self._thread = thread
        self._finalize_with_multiprocessing()
        return True

    def _finalize_with_multiprocessing(self) -> None:
        """The children of multiprocessing end without atexit."""
        process = sys.modules.get("multiprocessing.process")
        util = sys.modules.get("multiprocessing.util")
        if not self._finalized and process and util and process.parent_process():
            self._finalized = True
            util.Finalize(self, HeraldHandler.close, args=(self,), exitpriority=-100)

    def _wake(self) -> None:
        """Tells the thread that there is something to send, unless it knows."""
        if self._idle:
            self._idle = False
            self._work.notify_all()
        if self._asleep and self._bell:
            self._asleep = False
            try:
                self._bell[1].send(b"\0")
            except OSError:
                pass

    def _run(self, deadline: float = float("inf")) -> None:
        """Connects and sends until the handler is closed or the deadline has come."""
        self._inside.depth = _DEPTH
        period = self.retryStart
        try:
            while self._wait_for_work(deadline):
                try:
                    self._connect()
                    period = self.retryStart
                    self._talk(deadline)
                except _Refused as error:
                    self._complain(str(error))
                except Exception:  # pylint: disable=broad-except
                    # Whatever it was: the records are here, and another try is due.
                    pass
                finally:
                    self._disconnect()
                self._pause(period * self._random.uniform(0.5, 1.0), deadline)
                period = min(period * self.retryFactor, self.retryMax)
        finally:
            self._inside.depth = 0

    def _wait_for_work(self, deadline: float) -> bool:
        with self._changed:
            if deadline == float("inf"):
                self._idle = True
                self._work.wait_for(lambda: self.pending or self._closing)
                self._idle = False
            return bool(
                self.pending and not self._closing and time.monotonic() < deadline)

    def _pause(self, seconds: float, deadline: float) -> None:
        with self._changed:
            until = min(time.monotonic() + seconds, deadline)
            hurried = self._work.wait_for(
                lambda: self._hurry or self._closing or not self.pending,
                max(0.0, until - time.monotonic()))
            if hurried and not self._closing:
                self._work.wait_for(
                    lambda: self._closing,
                    max(0.0, min(_IN_A_HURRY_SECONDS, until - time.monotonic())))

    def makeSocket(self, timeout: float = _CONNECT_SECONDS) -> socket.socket:
        """A connection to the bridge, encrypted if there is a context."""
        plain = super().makeSocket(timeout)
        try:
            if plain.family != getattr(socket, "AF_UNIX", None):
                plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
                plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.ssl_context is not None:
                return self.ssl_context.wrap_socket(plain, server_hostname=self.host)
        except BaseException:
            plain.close()
            raise
        return plain

    def _connect(self) -> None:
        """Says hello, and takes up where the bridge is."""
        sock = self.sock = self.makeSocket(_CONNECT_SECONDS)
        sock.settimeout(_HELLO_SECONDS)
        with self._changed:
            stream, first = self._stream, self._first
        hello = {"version": _VERSION, "stream": stream, "first": first}
        # The bridge knows a hello by how it begins.
        body = json.dumps({"herald_hello": hello}, separators=(",", ":")).encode("ascii")
        sock.sendall(_LENGTH.pack(len(body)) + body)
        answer = _receive(sock)
        if "error" in answer:
            raise _Refused(str(answer["error"]))
        expected = int(answer["herald_hello"]["expected"])
        with self._changed:
            while self._sent:
                self._waiting.appendleft(self._sent.pop())
            if expected > self._first + len(self._waiting):
                # Another process has the same stream: a copy of this one.
                self._stream, self._first = uuid.uuid4().hex, 1
                raise ConnectionError("the stream is another one's")
            self._take_off(self._waiting, expected)
        sock.setblocking(False)

    def _take_off(self, queue: collections.deque, behind: int) -> None:
        """Records below the number `behind` are acknowledged."""
        while queue and self._first < behind:
            self._bytes -= len(queue.popleft())
            self._first += 1
            self._acknowledged += 1
        self._changed.notify_all()

    def _talk(self, deadline: float) -> None:
        """Sends and hears until the connection or the handler ends."""
        sock, bell = self.sock, self._bell
        outgoing, incoming = memoryview(b""), bytearray()
        wanted, heard_at = selectors.EVENT_WRITE, time.monotonic()
        with _Selector() as selector:
            selector.register(sock, selectors.EVENT_READ)
            if bell:
                selector.register(bell[0], selectors.EVENT_READ)
            while True:
                now = time.monotonic()
                with self._changed:
                    if not outgoing:
                        outgoing = memoryview(self._next_chunk())
                    if self._closing or now >= deadline:
                        self._farewell(sock)
                        return
                    if not self._sent:
                        if deadline != float("inf"):
                            return
                        heard_at = now
                    self._asleep = not outgoing
                if now - heard_at > _SILENCE_SECONDS:
                    raise TimeoutError("the bridge is silent")
                selector.modify(
                    sock, selectors.EVENT_READ | (wanted if outgoing else 0))
                ready = selector.select(min(1.0, max(0.0, deadline - now)))
                if bell and any(key.fileobj is bell[0] for key, _ in ready):
                    _drain(bell[0])
                if outgoing:
                    try:
                        outgoing = outgoing[sock.send(outgoing):]
                        wanted = selectors.EVENT_WRITE
                    except (BlockingIOError, ssl.SSLWantWriteError):
                        wanted = selectors.EVENT_WRITE
                    except ssl.SSLWantReadError:
                        wanted = 0
                if self._hear(sock, incoming):
                    heard_at = time.monotonic()
                    wanted = selectors.EVENT_WRITE

    def _next_chunk(self) -> bytes:
        """Frames to send next; empty when there is nothing."""
        parts, size = [], 0
        while self._waiting and size < _CHUNK_BYTES:
            body = self._waiting.popleft()
            parts += (_HEAD.pack(len(body) + 8, self._first + len(self._sent)), body)
            self._sent.append(body)
            size += len(body)
        return b"".join(parts)

    def _hear(self, sock: socket.socket, incoming: bytearray) -> bool:
        """Takes what the bridge says; returns whether it said anything."""
        has_heard = False
        while True:
            try:
                read = sock.recv(_ANSWER_BYTES)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return has_heard
            if not read:
                raise ConnectionError("the bridge has ended the connection")
            has_heard = True
            incoming += read
            while len(incoming) >= _LENGTH.size:
                end = _LENGTH.size + _length(incoming)
                if len(incoming) < end:
                    break
                answer = json.loads(bytes(incoming[_LENGTH.size:end]))
                del incoming[:end]
                if "error" in answer:
                    error = str(answer["error"])
                    raise ConnectionError(error) if error in _USUAL else _Refused(error)
                with self._changed:
                    self._take_off(self._sent, int(answer["ack"]) + 1)

    def _farewell(self, sock: socket.socket) -> None:
        """All is acknowledged: the bridge need not remember this stream."""
        if not self.pending:
            try:
                sock.send(_HEAD.pack(8, self._first))
            except OSError:
                pass

    def _disconnect(self) -> None:
        sock, self.sock = self.sock, None
        if sock is not None:
            try:
                sock.close()
            except OSError:
                pass

    def _complain(self, text: str) -> None:
        """Says once what somebody has to know, where no handler of logging hears it."""
        if logging.raiseExceptions and text != self._complaint and sys.__stderr__:
            self._complaint = text
            try:
                where = self.host if self.port is None else "%s:%s" % self.address
                sys.__stderr__.write("herald_logging: %s: %s\n" % (where, text))
            except (OSError, ValueError):
                pass

    def _begin_in_child(self) -> None:
        """After a fork: what the parent has not sent is the parent's."""
        self._disconnect()
        for end in self._bell or ():
            end.close()
        self._begin()


def adopt(logger: Optional[logging.Logger] = None, **options: Any) -> int:
    """Puts a HeraldHandler in the place of each standard SocketHandler of a logger
    (of the root without one), such as ps.basic's. Returns how many there were."""
    logger = logger or logging.getLogger()
    stock = [h for h in logger.handlers if type(h) is logging.handlers.SocketHandler]
    for old in stock:
        new = HeraldHandler(old.host, old.port, **options)
        new.setLevel(old.level)
        new.setFormatter(old.formatter)
        for condition in old.filters:
            new.addFilter(condition)
        logger.addHandler(new)
        logger.removeHandler(old)
        old.close()
    return len(stock)


def _length(data: Union[bytes, bytearray]) -> int:
    length = _LENGTH.unpack_from(data)[0]
    if length > _ANSWER_BYTES:
        raise ConnectionError("what answers is no bridge")
    return length


def _receive(sock: socket.socket) -> Dict[str, Any]:
    """One whole answer."""
    def exactly(size: int) -> bytes:
        data = b""
        while len(data) < size:
            read = sock.recv(size - len(data))
            if not read:
                raise ConnectionError("no answer to the hello")
            data += read
        return data

    answer: Dict[str, Any] = json.loads(exactly(_length(exactly(_LENGTH.size))))
    return answer


def _drain(end: socket.socket) -> None:
    try:
        while end.recv(1024):
            pass
    except OSError:
        pass


def _json(fields: Dict[str, Any]) -> bytes:
    try:
        text = json.dumps(fields, default=_plain, ensure_ascii=False)
        return text.encode("utf-8")
    except (TypeError, ValueError, RecursionError):
        # Something circular or too deep, a key that is no text, half a character.
        fields = {name: _or_repr(value) for name, value in fields.items()}
        return json.dumps(fields, default=_plain).encode("ascii")


def _or_repr(value: Any) -> Any:
    try:
        json.dumps(value, default=_plain)
        return value
    except (TypeError, ValueError, RecursionError):
        return _repr(value)


def _plain(value: Any) -> Any:
    """What stands for a value that JSON does not have."""
    if isinstance(value, (set, frozenset)):
        return list(value)
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).decode("utf-8", "backslashreplace")
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, (decimal.Decimal, uuid.UUID, pathlib.PurePath)):
        return str(value)
    return _repr(value)


def _repr(value: Any) -> str:
    try:
        return repr(value)
    except Exception:  # pylint: disable=broad-except
        return "<%s that has no repr>" % type(value).__name__


_handlers: "weakref.WeakSet[HeraldHandler]" = weakref.WeakSet()


def _after_fork() -> None:
    for handler in list(_handlers):
        handler._begin_in_child()  # pylint: disable=protected-access


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
