"""A mail server that takes everything: mail.py PORT FILE. Each mail is appended to FILE,
after a line that begins with `MAIL`."""
import socketserver
import sys

PORT, FILE = int(sys.argv[1]), sys.argv[2]


class Session(socketserver.StreamRequestHandler):
    """One client."""

    def say(self, line):
        self.wfile.write(line.encode() + b"\r\n")

    def handle(self):
        self.say("220 catcher")
        for line in self.rfile:
            word = line.strip().upper().split(b" ")[0]
            if word == b"QUIT":
                self.say("221 bye")
                return
            if word != b"DATA":
                self.say("250 catcher" if word == b"EHLO" else "250 ok")
                continue
            self.say("354 go on")
            with open(FILE, "ab") as file:
                file.write(b"MAIL\n")
                for text in self.rfile:
                    if text == b".\r\n":
                        break
                    file.write(text)
            self.say("250 taken")


if __name__ == "__main__":
    socketserver.ThreadingTCPServer.allow_reuse_address = True
    with socketserver.ThreadingTCPServer(("", PORT), Session) as server:
        server.serve_forever()
