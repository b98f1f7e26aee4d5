"""The chart, rendered by Helm."""
import copy
import os
import subprocess

import yaml

HERE = os.path.dirname(os.path.abspath(__file__))
# The one in C is ten times as quick.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
CHART = os.path.normpath(os.path.join(HERE, "../../charts/herald"))
STAGES = {"testing": 9010, "development": 9020, "integration": 9022, "production": 9024}


def run(*words):
    """What a command says, and whether it was content."""
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.returncode == 0, done.stdout


def environment(stage):
    """The options that choose a stage."""
    return ["-f", os.path.join(CHART, "envs", stage + ".yaml")]


def everything():
    """The options that switch everything on, in PRODUCTION."""
    return environment("production") + ["-f", os.path.join(HERE, "everything.yaml")]


def template(options, release="herald-production", version="1.32.0", chart=CHART):
    """The text that `helm template` makes; raises what it says when it refuses."""
    words = ["helm", "template", release, chart, "--namespace", release, "--kube-version", version]
    done = subprocess.run(words + options, capture_output=True, text=True)
    if done.returncode:
        raise ValueError(done.stderr.strip())
    return done.stdout


class Objects(list):
    """Rendered objects, and what is often asked of them."""

    def __init__(self, text):
        super().__init__(each for each in yaml.load_all(text, LOADER) if each)

    def of(self, *kinds):
        return [each for each in self if each["kind"] in kinds]

    def one(self, kind, end):
        """The object of a kind whose name ends so."""
        found = [each for each in self.of(kind) if each["metadata"]["name"].endswith(end)]
        assert len(found) == 1, f"{len(found)} of {kind} {end}"
        return found[0]

    def templates(self):
        """Name and pod template of everything that makes pods; a pod is its own."""
        for each in self:
            spec, name = each.get("spec") or {}, each["metadata"]["name"]
            if each["kind"] == "Pod":
                yield name, each
            elif each["kind"] == "CronJob":
                yield name, spec["jobTemplate"]["spec"]["template"]
            elif each["kind"] in ("StatefulSet", "Deployment"):
                yield name, spec["template"]

    def containers(self):
        """Name and container, initial ones too."""
        for name, template in self.templates():
            spec = template["spec"]
            for container in spec.get("initContainers", []) + spec["containers"]:
                yield f"{name}/{container['name']}", container

    def restarting(self):
        """What may not differ between two versions of the chart: it restarts pods, or
        Kubernetes refuses it."""
        kept = {name: template for name, template in self.templates() if "test" not in name}
        claims = {
            each["metadata"]["name"]: copy.deepcopy(each["spec"]["volumeClaimTemplates"])
            for each in self.of("StatefulSet")
        }
        selectors = {
            each["metadata"]["name"]: each["spec"]["selector"]
            for each in self.of("StatefulSet", "Deployment")
        }
        return kept, claims, selectors
