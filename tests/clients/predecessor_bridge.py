"""A bridge that reads as the predecessor's does, for tests that cannot have the
published one: four bytes, then one read of as many as these say, and what comes
short is taken for the whole frame. Each record is handled before the next one is
read. Prints the message of each, or why a frame is none.

Arguments: PORT [SECONDS]. Takes SECONDS for each record, as a commit does.
"""

import pickle
import socketserver
import struct
import sys
import time

SECONDS = float(sys.argv[2]) if len(sys.argv) > 2 else 0.0


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        while True:
            length = self.connection.recv(4)
            if len(length) < 4:
                break
            size = struct.unpack(">L", length)[0]
            frame = self.connection.recv(size)
            try:
                record = pickle.loads(frame)
                print("record", record["SYSTEM_ID"], record["USER_SPEC_1"], record["msg"])
            except Exception as error:
                print("broken", type(error).__name__, len(frame), "of", size)
            sys.stdout.flush()
            time.sleep(SECONDS)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
