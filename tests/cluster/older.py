#!/usr/bin/env python3
"""Makes of the chart what a cluster before Kubernetes 1.27 takes; `helm --post-renderer`.

What such a cluster does not know is left out, and probes ask by HTTP what they would ask by
gRPC. For trying the chart on what there is: such clusters are not supported.
"""
import sys

import yaml

PROBES = "startupProbe", "livenessProbe", "readinessProbe"


def pods(each):
    """Specs of the pods that an object makes."""
    spec = each.get("spec", {})
    if each["kind"] == "Pod":
        yield spec
    elif each["kind"] == "CronJob":
        yield spec["jobTemplate"]["spec"]["template"]["spec"]
    elif each["kind"] in ("Deployment", "StatefulSet"):
        yield spec["template"]["spec"]


def older(each):
    """Changes an object."""
    spec = each.get("spec", {})
    if each["kind"] == "CronJob":
        each["apiVersion"] = "batch/v1beta1"
        spec.pop("timeZone")
    elif each["kind"] == "PodDisruptionBudget":
        each["apiVersion"] = "policy/v1beta1"
    elif each["kind"] == "StatefulSet":
        spec.pop("persistentVolumeClaimRetentionPolicy")
    for pod in pods(each):
        for container in pod["containers"]:
            for name in PROBES:
                if name in container:
                    probe(container[name])
    return each


def probe(asked):
    grpc = asked.pop("grpc")
    path = "/readyz" if "service" in grpc else "/healthz"
    asked["httpGet"] = {"port": grpc["port"], "path": path}


if __name__ == "__main__":
    given = [each for each in yaml.safe_load_all(sys.stdin) if each]
    yaml.safe_dump_all([older(each) for each in given], sys.stdout, sort_keys=False)
