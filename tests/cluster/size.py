"""Measures what pods take while records come in.

    size.py HOST PORT NAMESPACE SECONDS RATE ...

For each rate (0: nothing comes in) a line of a Markdown table for each pod: the most memory
that its container held, files that it works on included, and its CPU in thousandths of a
core, as the node's kubelet tells. Fails when all pods together hold more than 150 MiB at
1,000 records/s.
"""
import datetime
import json
import os
import subprocess
import sys
import time

LIMIT_MIB = 150
LIMITED_RATE = 1000
# The kubelet looks about every 10 s.
EVERY_S = 5
HERE = os.path.dirname(os.path.abspath(__file__))


def kubectl(*words):
    return json.loads(subprocess.run(["kubectl", *words], check=True, capture_output=True).stdout)


def look(namespace):
    """What the kubelets say of each container that runs."""
    pods = kubectl("--namespace", namespace, "get", "pods", "--output", "json")["items"]
    running = [each for each in pods if each["status"]["phase"] == "Running"]
    names = {each["metadata"]["name"] for each in running}
    found = {}
    for node in {each["spec"]["nodeName"] for each in running}:
        said = kubectl("get", "--raw", f"/api/v1/nodes/{node}/proxy/stats/summary")
        for pod in said["pods"]:
            if pod["podRef"]["namespace"] == namespace and pod["podRef"]["name"] in names:
                for container in pod["containers"]:
                    found[pod["podRef"]["name"], container["name"]] = container
    return found


def measure(address, namespace, seconds, rate):
    """The rate reached; container to the most memory (working set, MiB) and cores."""
    load = None
    if rate:
        words = [sys.executable, os.path.join(HERE, "load.py"), *address]
        words += [f"size-{rate}", str(rate), str(seconds)]
        load = subprocess.Popen(words, stdout=subprocess.PIPE)
    end, looks = time.monotonic() + seconds, []
    while time.monotonic() < end:
        looks.append(look(namespace))
        time.sleep(EVERY_S)
    sent = json.loads(load.communicate()[0])["sent"] if load else 0
    return sent / seconds, {name: summary(name, looks) for name in looks[-1]}


def summary(name, looks):
    seen = [each[name] for each in looks if name in each]
    most = max(each["memory"]["workingSetBytes"] for each in seen) / (1 << 20)
    first, last = seen[0]["cpu"], seen[-1]["cpu"]
    used = (last["usageCoreNanoSeconds"] - first["usageCoreNanoSeconds"]) / 1e9
    return most, used / (seconds_of(last["time"]) - seconds_of(first["time"]))


def seconds_of(text):
    return datetime.datetime.fromisoformat(text).timestamp()


def main():
    host, port, namespace, seconds, *rates = sys.argv[1:]
    print("| records/s | pod | memory | CPU |")
    print("|---|---|---|---|")
    for rate in map(int, rates):
        reached, found = measure((host, port), namespace, int(seconds), rate)
        if reached < rate * 0.99:
            print(f"of {rate} records/s, {reached:.0f} were reached", file=sys.stderr)
        for (pod, _), (most, cores) in sorted(found.items()):
            print(f"| {reached:.0f} | {pod} | {most:.0f} MiB | {cores * 1000:.0f} m |")
        together = sum(most for most, _ in found.values())
        print(f"| {reached:.0f} | together | {together:.0f} MiB | |", flush=True)
        if rate == LIMITED_RATE and together > LIMIT_MIB:
            sys.exit(f"{together:.0f} MiB at {rate} records/s, at most {LIMIT_MIB}")


if __name__ == "__main__":
    main()
