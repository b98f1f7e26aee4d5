"""Sends numbered records as JSON lines at a steady rate, however often it is cut off.

    load.py HOST PORT RUN RATE SECONDS

Prints one JSON object: how many it sent, and before which numbers it noticed a cut. A
record that was sent shortly before a cut may not have been read; none is sent twice.
"""
import json
import socket
import sys
import time


def connected(address):
    """A connection, as soon as there is one."""
    while True:
        try:
            connection = socket.create_connection(address, timeout=2)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connection
        except OSError:
            time.sleep(0.05)


def is_cut(connection):
    """Herald never answers: what can be read is the end."""
    connection.setblocking(False)
    try:
        connection.recv(1)
        return True
    except BlockingIOError:
        return False
    except OSError:
        return True
    finally:
        connection.settimeout(2)


def main():
    host, port, run, rate, seconds = sys.argv[1:]
    rate, seconds = int(rate), float(seconds)
    address = host, int(port)
    connection, cuts, number = connected(address), [], 0
    start = time.monotonic()
    while (now := time.monotonic() - start) < seconds:
        while number < int(now * rate):
            record = {"message": f"record {number}", "level": "INFO"}
            record |= {"system_id": "load", "user_spec_1": run, "user_spec_2": str(number)}
            try:
                if is_cut(connection):
                    raise ConnectionResetError
                connection.sendall(json.dumps(record).encode() + b"\n")
            except OSError:
                connection.close()
                cuts.append(number)
                connection = connected(address)
                continue
            number += 1
        time.sleep(0.001)
    connection.close()
    print(json.dumps({"sent": number, "cuts": cuts}))


if __name__ == "__main__":
    main()
