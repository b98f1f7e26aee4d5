"""Makes the chart's README.md: what is around the table is written here, the table comes
from the comments of values.yaml that begin with two dashes."""
import json
import os
import re

import yaml

from helm import CHART

HEAD = """\
# herald

One release of this chart is one whole Herald, for one stage: bridges with their spools,
the store with its volume, the pages, and on request neelix, backups and monitoring. How
to install, operate and upgrade it: `docs/guide/kubernetes.md`. What changes between
versions: [UPGRADING.md](UPGRADING.md).

    helm install herald-production charts/herald --namespace herald-production \\
        --create-namespace -f charts/herald/envs/production.yaml \\
        --set image.registry=registry.example.com/herald

`envs/` has what differs between the stages. A key that is not below is refused.

## Values

| key | default | meaning |
|---|---|---|
"""

TAIL = """
## What network policies do not do

The store answers bridges, herald-web, neelix and backups on one port, so a policy can
say who reaches it, not what they may call there. Only bridges append because nothing
else here does; nobody else gets to the port.

Policies work only on clusters whose network enforces them.
"""


def rows(text):
    """Key, default and meaning of every commented value, in the file's order."""
    values = yaml.safe_load(text)
    path, meaning, found = [], [], []
    for line in text.splitlines():
        comment = re.fullmatch(r" *# (-- )?(.*)", line)
        key = re.fullmatch(r"( *)([A-Za-z]+):.*", line)
        if comment and (comment[1] or meaning):
            meaning.append(comment[2])
        elif key:
            path[len(key[1]) // 2 :] = [key[2]]
            if meaning:
                value = values
                for name in path:
                    value = value[name]
                found.append((".".join(path), json.dumps(value), " ".join(meaning)))
            meaning = []
        elif not line.strip():
            meaning = []
    return found


def undocumented(text):
    """Keys without a comment, which are no group and below no commented key."""
    documented = [key for key, _, _ in rows(text)]

    def walk(value, path):
        key = ".".join(path)
        if key in documented:
            return []
        if isinstance(value, dict) and value:
            return [each for name in value for each in walk(value[name], path + [name])]
        return [key]

    return walk(yaml.safe_load(text), [])


def make():
    """The whole README."""
    with open(os.path.join(CHART, "values.yaml"), encoding="utf-8") as file:
        text = file.read()
    missing = undocumented(text)
    assert not missing, f"values.yaml does not say what these are: {missing}"
    table = "".join(
        f"| `{key}` | `{default}` | {meaning} |\n"
        for key, default, meaning in rows(text)
    )
    return HEAD + table + TAIL
