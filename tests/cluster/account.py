"""Holds what is kept against what was sent.

    account.py URL RUN LOAD.json

URL is that of herald-web, LOAD.json what load.py or stock.py printed. Fails when a record is
there twice; when one of load.py is missing that was not sent in the second before a cut; and
when of stock.py more are missing than two for each connection that ended.
"""
import collections
import json
import sys
import time
import urllib.request

PATIENCE_S = 120
RATE_OF_DOUBT = 1000
DROPPED_BY_HANDLER = 2


def kept(url, run):
    """Number and how often, of all records of a run."""
    address = f"{url}/api/v1/export?format=ndjson&user_spec_1={run}"
    with urllib.request.urlopen(address, timeout=60) as lines:
        return collections.Counter(int(json.loads(line)["user_spec_2"]) for line in lines)


def excess(load, missing):
    """What may not be missing, whatever the client is."""
    if "cuts" in load:
        doubtful = {
            number
            for cut in load["cuts"]
            for number in range(max(0, cut - RATE_OF_DOUBT), cut + 1)
        }
        return missing - doubtful
    ended = load["connections"] - 1
    return missing if len(missing) > DROPPED_BY_HANDLER * ended else set()


def settled(url, run, load):
    """What is kept and what is missing, as soon as nothing more comes."""
    deadline, before = time.monotonic() + PATIENCE_S, None
    while True:
        try:
            found = kept(url, run)
            missing = set(range(load["sent"])) - set(found)
            if found == before and not excess(load, missing):
                return found, missing
            before = found
        except OSError as error:
            missing = {error}
        if time.monotonic() > deadline:
            sys.exit(f"missing for good: {len(missing)}, such as {sorted(missing, key=str)[:5]}")
        time.sleep(1)


def main():
    url, run, path = sys.argv[1:]
    with open(path, encoding="utf-8") as file:
        load = json.load(file)
    found, missing = settled(url, run, load)
    twice = [number for number, times in found.items() if times > 1]
    if twice:
        sys.exit(f"there twice: {twice[:5]}")
    ended = len(load["cuts"]) if "cuts" in load else load["connections"] - 1
    print(f"{load['sent']} sent, {ended} connections cut, {len(missing)} lost at them, 0 twice")


if __name__ == "__main__":
    main()
