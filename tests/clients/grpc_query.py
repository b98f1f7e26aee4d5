"""A client of the store in Python, generated from proto/ (docs/grpc.md).

    grpc_query.py ADDRESS list|export|count|tail [QUERY] [--page N] [--most N]

Writes a JSON object a line. Needs grpcio-tools and nothing else.
"""
import argparse
import importlib
import json
import pathlib
import sys
import tempfile
import time

import grpc
import grpc_tools
from grpc_tools import protoc

PROTO = pathlib.Path(__file__).resolve().parents[2] / "proto"
LARGEST_ANSWER = 64 << 20
WORTH_ANOTHER_TRY = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNKNOWN,
                     grpc.StatusCode.CANCELLED, grpc.StatusCode.INTERNAL)


def generate(folder):
    """Generates the contract's modules into a folder and makes them importable."""
    files = [str(path) for path in sorted(PROTO.rglob("*.proto"))]
    well_known = pathlib.Path(grpc_tools.__file__).parent / "_proto"
    arguments = ["protoc", f"-I{PROTO}", f"-I{well_known}",
                 f"--python_out={folder}", f"--grpc_python_out={folder}"]
    if protoc.main(arguments + files) != 0:
        sys.exit("the contract cannot be compiled")
    sys.path.insert(0, folder)


class Records:
    """The records of one store."""

    def __init__(self, address):
        self.pb = importlib.import_module("herald.v1.records_pb2")
        self.filters = importlib.import_module("herald.v1.filter_pb2")
        self.counts = importlib.import_module("herald.v1.counts_pb2")
        stubs = importlib.import_module("herald.v1.records_pb2_grpc")
        options = [("grpc.max_receive_message_length", LARGEST_ANSWER)]
        channel = grpc.insecure_channel(address, options=options)
        self.stub = stubs.RecordServiceStub(channel)

    def filter(self, query):
        """The filter of a query."""
        return self.filters.RecordFilter(query=query)

    def list(self, query, page):
        """All records that pass, newest first, page by page."""
        before = 0
        while True:
            answer = self.stub.ListRecords(self.pb.ListRecordsRequest(
                filter=self.filter(query), limit=page, before=before))
            yield from answer.records
            # A partial answer goes on in the same way as a full page.
            before = answer.next
            if before == 0:
                return

    def export(self, query):
        """All records that pass, oldest first, in one stream per cut."""
        after = 0
        while True:
            request = self.pb.ExportRecordsRequest(
                filter=self.filter(query), order=self.filters.ORDER_OLDEST_FIRST, after=after)
            try:
                for answer in self.stub.ExportRecords(request):
                    yield from answer.records
                    after = max(after, answer.through)
                return
            except grpc.RpcError as error:
                wait(error)

    def tail(self, query):
        """Records as they come, without end, behind the newest one."""
        after = None
        while True:
            request = self.pb.TailRecordsRequest(filter=self.filter(query), after=after)
            try:
                for answer in self.stub.TailRecords(request):
                    yield from answer.records
                    after = max(after or 0, answer.through)
            except grpc.RpcError as error:
                wait(error)

    def count(self, query):
        """How many records pass, by system, and whether that is all of them."""
        request = self.counts.CountRecordsRequest(filter=self.filter(query), fields=["system_id"])
        last = None
        for last in self.stub.CountRecords(request):
            pass
        systems = {value.value: value.records for value in last.fields[0].values}
        return {"records": last.records, "systems": systems, "complete": last.complete}


def wait(error):
    """Waits before another try; gives up when the store will refuse that as well."""
    if error.code() not in WORTH_ANOTHER_TRY:
        raise error
    print(f"cut: {error.code().name}", file=sys.stderr, flush=True)
    time.sleep(0.2)


def show(record):
    """A record's essence."""
    line = {"id": record.id, "level": record.level, "system_id": record.system_id,
            "user_spec_1": record.user_spec_1, "message": record.message}
    print(json.dumps(line), flush=True)


def main():
    """Does what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address")
    parser.add_argument("what", choices=["list", "export", "count", "tail"])
    parser.add_argument("query", nargs="?", default="")
    parser.add_argument("--page", type=int, default=1000)
    parser.add_argument("--most", type=int, default=sys.maxsize)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        generate(folder)
        records = Records(arguments.address)
        try:
            if arguments.what == "count":
                print(json.dumps(records.count(arguments.query)))
                return
            found = (records.list(arguments.query, arguments.page) if arguments.what == "list"
                     else getattr(records, arguments.what)(arguments.query))
            for number, record in enumerate(found, 1):
                show(record)
                if number == arguments.most:
                    return
        except grpc.RpcError as error:
            sys.exit(f"{error.code().name}: {error.details()}")


if __name__ == "__main__":
    main()
