"""Makes or extends a database as the predecessor's bridge writes it.

    predecessor_database.py FILE FIRST LAST

Inserts rows with ids FIRST to LAST, one record a second from 2024-03-01
00:00:00 local time on.
"""
import datetime
import sqlite3
import sys

TEXT = (
    "created threadname api_version package_version name relativecreated process args"
    " module funcname levelno processname thread msecs message exc_text exc_info"
    " stack_info pathname filename asctime levelname lineno produkt_id system_id"
    " sub_system_id sub_sub_system_id user_spec_1 user_spec_2 summary"
).split()
NUMBERS = {
    "relativecreated": "FLOAT",
    "process": "INTEGER",
    "levelno": "INTEGER",
    "thread": "BIGINT",
    "msecs": "FLOAT",
    "lineno": "INTEGER",
}


def row(number):
    """Row `number`, of a warning."""
    start = datetime.datetime(2024, 3, 1)
    created = start + datetime.timedelta(seconds=number, microseconds=number)
    values = dict.fromkeys(TEXT, "None")
    values.update(
        created=created.strftime("%Y-%m-%d %H:%M:%S.%f"),
        threadname="MainThread",
        package_version="1.2.3",
        name="shop",
        relativecreated=1000.5,
        process=896,
        args="",
        module="till",
        funcname="sell",
        levelno=30,
        levelname="WARNING",
        processname="MainProcess",
        thread=140735286908888,
        msecs=616.5,
        message="row %d of the predecessor" % number,
        pathname="/srv/shop/till.py",
        filename="till.py",
        lineno=42,
        system_id="old_shop",
        sub_system_id="host1",
    )
    return [number] + [values[name] for name in TEXT]


def main():
    """Creates the tables if need be, then inserts."""
    path, first, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    columns = ", ".join("%s %s" % (n, NUMBERS.get(n, "VARCHAR")) for n in TEXT)
    database = sqlite3.connect(path)
    database.execute(
        "CREATE TABLE IF NOT EXISTS log "
        "(id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, %s)" % columns
    )
    database.execute(
        "CREATE TABLE IF NOT EXISTS heartbeat (id INTEGER NOT NULL PRIMARY KEY "
        "AUTOINCREMENT, newest_heartbeat VARCHAR, system_id VARCHAR(10) UNIQUE)"
    )
    places = ", ".join("?" * (len(TEXT) + 1))
    rows = (row(number) for number in range(first, last + 1))
    database.executemany("INSERT INTO log VALUES (%s)" % places, rows)
    database.commit()
    database.close()


if __name__ == "__main__":
    main()
