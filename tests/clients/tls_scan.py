"""Tells what a TLS server agrees to, as scanners of servers do.

    tls_scan.py HOST PORT

Prints a JSON object: which versions of the protocol it takes, which ciphers of TLS 1.2 it
takes, whether it compresses, and what it answers to bytes that are no handshake. The client
here would take anything, whatever is old or weak included.
"""
import json
import socket
import ssl
import sys
import warnings

warnings.simplefilter("ignore", DeprecationWarning)
ADDRESS = (sys.argv[1], int(sys.argv[2]))
VERSIONS = [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


def context(version, ciphers):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    made.options &= ~ssl.OP_NO_COMPRESSION
    made.set_ciphers(f"{ciphers}:@SECLEVEL=0")
    made.minimum_version = made.maximum_version = version
    return made


def shake(version, ciphers="ALL:COMPLEMENTOFALL"):
    """What was agreed upon, or the alert of the server's that ended it."""
    with socket.create_connection(ADDRESS, timeout=20) as plain:
        try:
            with context(version, ciphers).wrap_socket(plain) as stream:
                return {"cipher": stream.cipher()[0], "compression": stream.compression()}
        except ssl.SSLError as error:
            return {"refused": error.reason}


def names():
    """All ciphers before TLS 1.3 that the client's library has."""
    every = context(ssl.TLSVersion.TLSv1_2, "ALL:COMPLEMENTOFALL").get_ciphers()
    return [each["name"] for each in every if each["protocol"] != "TLSv1.3"]


def in_plain():
    with socket.create_connection(ADDRESS, timeout=20) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = b""
        try:
            while len(answer) < 1000:
                more = plain.recv(1000)
                if not more:
                    break
                answer += more
        except ConnectionError:
            pass
        return answer.hex()


found = {each.name: shake(each) for each in VERSIONS}
ciphers = [each for each in names() if "cipher" in shake(ssl.TLSVersion.TLSv1_2, each)]
json.dump({"versions": found, "tried": len(names()), "ciphers": ciphers, "plain": in_plain()}, sys.stdout)
