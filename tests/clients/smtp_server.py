"""A mail server that behaves as it is told, for tests of who sends mail.

It prints `port NUMBER` when it listens, and writes each mail that it takes to
the folder: NUMBER.eml as it came, and NUMBER.json with what Python's email
package makes of it. With TLS, ca.pem there is whom to trust.
"""

import argparse
import asyncio
import json
import os
import pathlib
import ssl
from email import message_from_bytes, policy

import trustme
from aiosmtpd.smtp import SMTP, AuthResult


def main():
    options = parse()
    asyncio.run(serve(options))


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--tls", choices=["none", "starttls", "required", "smtps"], default="none")
    parser.add_argument("--login", help="USER:PASSWORD that is asked for")
    parser.add_argument("--silent", action="store_true", help="take connections and say nothing")
    parser.add_argument("--greylist", action="store_true", help="451 at the first try of a recipient")
    parser.add_argument("--refuse", default="", help="550 for this recipient")
    parser.add_argument("--refuse-data", action="store_true", help="554 for every mail")
    parser.add_argument("--refuse-sender", action="store_true", help="550 for every sender")
    parser.add_argument("--goodbye", action="store_true", help="421 at the first recipient, and close")
    parser.add_argument("--close", choices=["data", "taken", "never"], default="never",
                        help="break off the first mail: in its middle, or when it is taken")
    parser.add_argument("--hold", action="store_true", help="never answer to a mail")
    parser.add_argument("--pause-ms", type=float, default=0, help="before the answer to a mail")
    return parser.parse_args()


async def serve(options):
    options.folder.mkdir(parents=True, exist_ok=True)
    handler = Handler(options)
    context = None if options.tls == "none" else certificate(options.folder)
    loop = asyncio.get_running_loop()

    def connection():
        return Connection(
            handler,
            loop=loop,
            hostname="mail.test",
            ident="test",
            enable_SMTPUTF8=False,
            tls_context=None if options.tls == "smtps" else context,
            require_starttls=options.tls == "required",
            authenticator=handler.authenticate,
            auth_required=options.login is not None,
            auth_require_tls=options.tls in ("starttls", "required"),
        )

    if options.silent:
        server = await asyncio.start_server(say_nothing, "127.0.0.1", options.port)
    else:
        implicit = context if options.tls == "smtps" else None
        server = await loop.create_server(connection, "127.0.0.1", options.port, ssl=implicit)
    print("port", server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def say_nothing(_reader, _writer):
    await asyncio.Event().wait()


def certificate(folder):
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    authority.cert_pem.write_to_path(folder / "ca.pem")
    return context


class Connection(SMTP):
    async def smtp_DATA(self, arg):
        if self.event_handler.breaks_off("data"):
            await self.push("354 go on")
            self.transport.abort()
            return
        await super().smtp_DATA(arg)


class Handler:
    def __init__(self, options):
        self.options = options
        self.seen = set()
        self.was_broken = False

    def breaks_off(self, where):
        breaks = self.options.close == where and not self.was_broken
        self.was_broken = self.was_broken or breaks
        return breaks

    def authenticate(self, _server, _session, _envelope, _mechanism, data):
        expected = tuple(part.encode() for part in self.options.login.split(":"))
        is_right = (data.login, data.password) == expected
        return AuthResult(success=is_right, handled=False)

    async def handle_MAIL(self, _server, _session, envelope, address, _options):
        if self.options.refuse_sender:
            return f"550 5.7.1 <{address}> may not send"
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server, _session, envelope, address, _options):
        if self.options.goodbye and not self.was_broken:
            self.was_broken = True
            await server.push("421 4.3.2 see you")
            server.transport.close()
            return "421 4.3.2 see you"
        if address == self.options.refuse:
            return f"550 5.1.1 <{address}> unknown"
        if self.options.greylist and address not in self.seen:
            self.seen.add(address)
            return f"451 4.7.1 <{address}> come again"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, _session, envelope):
        if self.options.refuse_data:
            return "554 5.6.0 not this"
        self.keep(server, envelope)
        if self.breaks_off("taken"):
            server.transport.abort()
        if self.options.hold:
            await asyncio.Event().wait()
        await asyncio.sleep(self.options.pause_ms / 1000)
        return "250 OK"

    def keep(self, server, envelope):
        content = envelope.original_content
        number = len(list(self.options.folder.glob("*.eml"))) + 1
        name = self.options.folder / f"{number:05}"
        name.with_suffix(".eml").write_bytes(content)
        mail = message_from_bytes(content, policy=policy.default)
        parts = [part for part in mail.walk() if not part.is_multipart()]
        told = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "is_encrypted": server.transport.get_extra_info("ssl_object") is not None,
            "headers": [[name, str(value)] for name, value in mail.items()],
            "parts": {part.get_content_type(): part.get_content() for part in parts},
            "defects": [str(defect) for part in mail.walk() for defect in part.defects],
        }
        whole = name.with_suffix(".part")
        whole.write_text(json.dumps(told))
        os.replace(whole, name.with_suffix(".json"))


main()
