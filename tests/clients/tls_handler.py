"""Python's SocketHandler over TLS, as docs/guide/tls.md shows it.

    tls_handler.py HOST PORT CA COUNT [CERTIFICATE KEY]
"""
import logging
import logging.handlers
import ssl
import sys


class TlsSocketHandler(logging.handlers.SocketHandler):
    """Sends records to a bridge's BRIDGE_TLS_LISTEN."""

    def __init__(self, host, port, context):
        super().__init__(host, port)
        self.context = context

    def makeSocket(self, timeout=1):
        plain = super().makeSocket(timeout)
        try:
            return self.context.wrap_socket(plain, server_hostname=self.host)
        except OSError:
            plain.close()
            raise


def main():
    """Logs COUNT records."""
    host, port, authority, count, *identity = sys.argv[1:]
    context = ssl.create_default_context(cafile=authority)
    if identity:
        context.load_cert_chain(*identity)
    log = logging.getLogger("shop")
    log.setLevel(logging.INFO)
    log.addHandler(TlsSocketHandler(host, int(port), context))
    for number in range(int(count)):
        log.info("record %d", number)
    logging.shutdown()


if __name__ == "__main__":
    main()
