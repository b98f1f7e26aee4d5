# -*- coding: utf-8 -*-
"""A program of the predecessor: ps.basic from PyPI, unchanged.

    DEV_STAGE=... DIRECT_HERALD_HOST=... basic.py SYSTEM_ID EXPECTED.json

Works in the folder of EXPECTED.json (ps.basic makes LOG/ there), on every
Python that ps.basic runs on.
"""
import os
import sys

from ps.basic import Config

import expected

VERSION = {"package_version": "4.5.6"}


def main():
    """Logs as the predecessor's programs do, and says what was logged."""
    system_id, path = sys.argv[1:]
    os.chdir(os.path.dirname(path))
    Config.Basic(system_id)
    log = Config.logger
    expecting = expected.Expecting()
    log.addHandler(expecting)
    log.debug("first steps", extra=VERSION)
    log.info("answer %s", 42, extra=VERSION)
    log.warning("it's \"quoted\" – Grüße", extra=VERSION)
    try:
        {}["bread"]
    except KeyError:
        log.exception("no bread", extra=VERSION)
    log.critical("closing", extra=dict(VERSION, api_version="1.2.44"))
    expecting.write(path)


if __name__ == "__main__":
    main()
