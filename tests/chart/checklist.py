"""What a chart of ours has: one function for each line of the list, told by its text.

Each takes the objects of a rendering with everything switched on, and asserts.
"""
import re

from helm import Objects, environment, everything, template

POINTS = []


def point(text):
    """Marks a check of the list."""

    def add(check):
        POINTS.append((text, check))
        return check

    return add


def refused(options, expected):
    """The chart refuses the options and says why."""
    try:
        template(options)
    except ValueError as error:
        assert expected in str(error), f"{options}: refused, but without `{expected}`: {error}"
    else:
        raise AssertionError(f"{options}: not refused")


PRODUCTION = environment("production")


@point("a misspelled key is refused, and `global` is open")
def check_keys(_):
    refused(PRODUCTION + ["--set", "store.replcas=1"], "replcas")
    refused(PRODUCTION + ["--set", "strore.replicas=1"], "strore")
    refused(PRODUCTION + ["--set", "web.ingress.host=x"], "host")
    template(PRODUCTION + ["--set", "global.anything=1"])


@point("the stage must be said and binds its ports")
def check_stage(_):
    refused([], "stage must be one of")
    refused(["--set", "stage=LIVE"], "stage must be one of")
    refused(PRODUCTION + ["--set", "ports.bridge=9020"], "9024")
    refused(PRODUCTION + ["--set", "ports.admin=9220"], "9224")
    template(["--set", "stage=PRODUCTION"])


@point("there is one store")
def check_store(objects):
    assert objects.one("StatefulSet", "-store")["spec"]["replicas"] == 1
    for number in "0", "2":
        refused(PRODUCTION + ["--set", "store.replicas=" + number], "store.replicas")


@point("a provider of identities needs the address of the pages, a client and a group")
def check_provider(_):
    provider = PRODUCTION + ["--set", "web.auth.oidc.issuer=https://login.example.com"]
    refused(provider, "url: web.auth.oidc needs")
    refused(provider + ["--set", "url=https://logs.example.com/herald"], "without a path")
    provider += ["--set", "url=https://logs.example.com"]
    refused(provider, "web.auth.oidc.clientId")
    provider += ["--set", "web.auth.oidc.clientId=herald"]
    refused(provider, "nobody could sign in")
    text = template(provider + ["--set", "web.auth.oidc.viewers={*}"])
    assert 'value: "*"' in text and "WEB_OIDC_CLIENT_SECRET_FILE" not in text


@point("the tag latest is refused, a digest is taken")
def check_tags(_):
    for key in "image.tag", "store.image.tag", "bridge.image.tag":
        refused(PRODUCTION + ["--set", key + "=latest"], key)
    digest = "sha256:" + "0" * 64
    text = template(PRODUCTION + ["--set", "store.image.digest=" + digest])
    assert "store@" + digest in text
    refused(PRODUCTION + ["--set", "store.image.digest=latest"], "digest")


@point("Kubernetes below 1.27 is refused; probes name no port")
def check_version(objects):
    try:
        template(PRODUCTION, version="1.26.0")
    except ValueError as error:
        assert "1.27" in str(error)
    else:
        raise AssertionError("1.26 is not refused")
    for name, container in objects.containers():
        for probe in "startupProbe", "livenessProbe", "readinessProbe":
            if probe in container:
                assert isinstance(container[probe]["grpc"]["port"], int), name


@point("names stay short enough for what Kubernetes makes of them")
def check_names(_):
    long = Objects(template(everything(), release="h" * 53))
    for each in long:
        most = 52 if each["kind"] in ("CronJob", "StatefulSet") else 63
        assert len(each["metadata"]["name"]) <= most, each["metadata"]["name"]


@point("no version in labels of pods and claims, and selectors are part of them")
def check_labels(objects):
    for name, pod in objects.templates():
        labels = pod["metadata"]["labels"]
        if "test" not in name:
            assert not {"helm.sh/chart", "app.kubernetes.io/version"} & set(labels), name
    for each in objects.of("StatefulSet", "Deployment"):
        spec = each["spec"]
        selector = spec["selector"]["matchLabels"].items()
        assert selector <= spec["template"]["metadata"]["labels"].items()
        for claim in spec.get("volumeClaimTemplates", []):
            assert claim["metadata"]["labels"].items() == selector
        assert "helm.sh/chart" in each["metadata"]["labels"]


@point("the store is a StatefulSet with a headless Service and its own volume")
def check_volume(objects):
    store = objects.one("StatefulSet", "-store")
    headless = objects.one("Service", "-store-headless")
    assert store["spec"]["serviceName"] == headless["metadata"]["name"]
    assert headless["spec"]["clusterIP"] == "None"
    (claim,) = store["spec"]["volumeClaimTemplates"]
    assert claim["spec"]["accessModes"] == ["ReadWriteOnce"]
    pod = "ReadWriteOncePod"
    text = template(PRODUCTION + ["--set", "store.persistence.accessMode=" + pod])
    claims = Objects(text).one("StatefulSet", "-store")["spec"]["volumeClaimTemplates"]
    assert claims[0]["spec"]["accessModes"] == [pod]
    refused(PRODUCTION + ["--set", "store.persistence.accessMode=ReadWriteMany"], "accessMode")


@point("volumes are kept when the release goes")
def check_retention(objects):
    for each in objects.of("StatefulSet"):
        policy = each["spec"]["persistentVolumeClaimRetentionPolicy"]
        assert set(policy.values()) == {"Retain"} and len(policy) == 2
    (claim,) = objects.of("PersistentVolumeClaim")
    assert claim["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"


@point("bridges keep their spool on a volume that holds it")
def check_spool(objects):
    bridge = objects.one("StatefulSet", "-bridge")
    (claim,) = bridge["spec"]["volumeClaimTemplates"]
    (container,) = bridge["spec"]["template"]["spec"]["containers"]
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    variables = {each["name"]: each.get("value") for each in container["env"]}
    assert variables["BRIDGE_SPOOL_DIR"].startswith(mounts[claim["metadata"]["name"]])
    assert variables["BRIDGE_SPOOL_MAX_BYTES"] == "8GiB"
    refused(PRODUCTION + ["--set", "bridge.spool.maxBytes=10GiB"], "bridge.persistence.size")
    refused(PRODUCTION + ["--set", "store.maxBytes=60GiB"], "store.persistence.size")


@point("liveness and readiness ask different questions, and a start may take long")
def check_probes(objects):
    services = objects.of("StatefulSet", "Deployment")
    assert len(services) == 3
    for each in services:
        (container,) = each["spec"]["template"]["spec"]["containers"]
        assert "service" not in container["livenessProbe"]["grpc"]
        assert container["readinessProbe"]["grpc"]["service"] == "readiness"
        start = container["startupProbe"]
        assert start["periodSeconds"] * start["failureThreshold"] >= 60


@point("a pod is killed later than its drain ends")
def check_grace(objects):
    for each in objects.of("StatefulSet", "Deployment"):
        assert each["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] > 12
    refused(PRODUCTION + ["--set", "bridge.drainTimeout=30s"], "terminationGracePeriodSeconds")
    refused(PRODUCTION + ["--set", "store.terminationGracePeriodSeconds=10"], "terminationGracePeriodSeconds")


@point("cert-manager makes a certificate of its role for every service that shows one")
def check_certificates(_):
    assert not Objects(template(PRODUCTION)).of("Certificate")
    made = Objects(template(everything())).of("Certificate")
    found = {each["spec"]["secretName"]: each["spec"] for each in made}
    roles = {name: spec["uris"] for name, spec in found.items()}
    assert roles == {
        "store-tls": ["herald://store/herald-production"],
        "bridge-tls": ["herald://bridge/herald-production"],
        "web-tls": ["herald://herald-web/herald-production"],
        "neelix-tls": ["herald://neelix/herald-production"],
        "backup-tls": ["herald://operator/herald-production"],
    }, roles
    assert "bridge.dmz.example.com" in found["bridge-tls"]["dnsNames"]
    assert "herald-production-store" in found["store-tls"]["dnsNames"]
    on = PRODUCTION + ["--set", "certManager.enabled=true"]
    refused(on, "certManager.issuerRef.name")
    refused(on + ["--set", "certManager.issuerRef.name=ca"], "store.tls.existingSecret")


@point("a Service forgets a pod before the pod takes no more connections")
def check_stop_delay(objects):
    delays = {
        name: variable["value"]
        for name, container in objects.containers()
        for variable in container["env"]
        if variable["name"] == "HERALD_STOP_DELAY"
    }
    assert sorted(delays.values()) == ["2s", "2s"] and len(delays) == 2, delays


@point("clients ask a Service, whose address outlives the pods")
def check_clients(objects):
    names = {each["metadata"]["name"] for each in objects.of("Service")}
    for name, container in objects.containers():
        for variable in container["env"]:
            if variable["name"].endswith("STORE_URL"):
                host, port = re.fullmatch(r"https?://([^:]+):(\d+)", variable["value"]).groups()
                assert host in names and int(port) == 9124, name


@point("with certificates everybody has one, and probes and metrics have a port without")
def check_certificates(objects):
    containers = dict(objects.containers())
    owners = {
        "store/store": "STORE",
        "bridge/bridge": "BRIDGE",
        "herald-web/herald-web": "WEB",
        "neelix/neelix-cronjob": "NEELIX",
        "daily/copy": "HERALD",
    }
    for name, prefix in owners.items():
        container = containers["herald-production-" + name]
        variables = {each["name"]: each.get("value") for each in container["env"]}
        assert variables[prefix + "_TLS_CA"] == "/tls/ca.crt", name
        assert {"name": "tls", "mountPath": "/tls", "readOnly": True} in container["volumeMounts"]
        if prefix != "STORE":
            url = variables[prefix + "_STORE_URL"]
            assert url.startswith("https://"), name
    store = containers["herald-production-store/store"]
    assert store["readinessProbe"]["grpc"]["port"] == 9224
    (metrics,) = objects.one("Service", "-store-headless")["spec"]["ports"]
    assert metrics["port"] == 9224
    ingress = objects.one("NetworkPolicy", "-store")["spec"]["ingress"]
    assert {port["port"] for rule in ingress for port in rule["ports"]} == {9124, 9224}
    plain = dict(Objects(template(PRODUCTION)).containers())["herald-production-store/store"]
    assert plain["readinessProbe"]["grpc"]["port"] == 9124
    refused(PRODUCTION + ["--set", "store.tls.existingSecret=x"], "bridge.tls.existingSecret")


@point("pods meet the standard `restricted`")
def check_security(objects):
    for name, pod in objects.templates():
        security = pod["spec"]["securityContext"]
        assert security["runAsNonRoot"] and security["runAsUser"] >= 10000, name
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert security["fsGroupChangePolicy"] == "OnRootMismatch", name
        for volume in pod["spec"]["volumes"]:
            if "emptyDir" in volume:
                assert volume["emptyDir"]["sizeLimit"], name
    for name, container in objects.containers():
        security = container["securityContext"]
        assert security["readOnlyRootFilesystem"] is True, name
        assert security["allowPrivilegeEscalation"] is False, name
        assert security["capabilities"] == {"drop": ["ALL"]}, name


@point("no pod has a token, nor variables that Kubernetes makes of Services")
def check_accounts(objects):
    account = objects.one("ServiceAccount", "herald-production")
    assert account["automountServiceAccountToken"] is False
    for name, pod in objects.templates():
        assert pod["spec"]["serviceAccountName"] == account["metadata"]["name"], name
        assert pod["spec"]["automountServiceAccountToken"] is False, name
        assert pod["spec"]["enableServiceLinks"] is False, name


@point("secrets are yours: the chart makes none and looks nothing up")
def check_secrets(objects):
    assert not objects.of("Secret")
    neelix = dict(objects.containers())["herald-production-neelix/neelix-cronjob"]
    (url,) = [each for each in neelix["env"] if each["name"] == "NEELIX_SMTP_URL"]
    assert url["valueFrom"] == {"secretKeyRef": {"name": "smtp", "key": "url"}}
    refused(PRODUCTION + ["--set", "neelix.enabled=true"], "neelix.rules")
    rules = ["--set", "neelix.enabled=true,neelix.existingRulesConfigMap=x"]
    refused(PRODUCTION + rules, "neelix.smtp")


@point("a checksum is of the data only")
def check_checksum(objects):
    pod = dict(objects.templates())["herald-production-neelix"]
    assert re.fullmatch("[0-9a-f]{64}", pod["metadata"]["annotations"]["checksum/rules"])


@point("each component has a network policy; only neelix mails, only bridges are sent to")
def check_network(objects):
    policies = {
        each["spec"]["podSelector"]["matchLabels"]["app.kubernetes.io/component"]: each["spec"]
        for each in objects.of("NetworkPolicy")
    }
    components = {
        pod["metadata"]["labels"]["app.kubernetes.io/component"]
        for _, pod in objects.templates()
    }
    assert set(policies) == components
    for component, spec in policies.items():
        assert spec["policyTypes"] == ["Ingress", "Egress"], component
        out = {port["port"] for rule in spec["egress"] for port in rule["ports"]}
        assert 53 in out, component
        assert bool(out & {25, 465, 587}) == (component == "neelix-cronjob"), component
        assert (9024 in out) == (component == "test"), component
        assert all(rule.get("from") for rule in spec["ingress"]), component
    askers = [
        peer["podSelector"]["matchLabels"]["app.kubernetes.io/component"]
        for rule in policies["store"]["ingress"]
        for peer in rule["from"]
        if "podSelector" in peer
    ]
    assert sorted(askers) == ["backup", "bridge", "herald-web", "neelix-cronjob", "test"]


@point("zones: bridges send where routes lead, and take from named bridges, on one bridge only")
def check_zones(objects):
    pod = dict(objects.templates())["herald-production-bridge"]
    assert re.fullmatch("[0-9a-f]{64}", pod["metadata"]["annotations"]["checksum/routes"])
    container = dict(objects.containers())["herald-production-bridge/bridge"]
    variables = {each["name"]: each.get("value") for each in container["env"]}
    assert variables["BRIDGE_ROUTES"] == "/routes/routes.toml"
    assert "BRIDGE_INGEST_LISTEN" not in variables
    egress = objects.one("NetworkPolicy", "-bridge")["spec"]["egress"]
    assert {"ports": [{"port": 9324, "protocol": "TCP"}], "to": [{"ipBlock": {"cidr": "10.3.0.0/16"}}]} in egress
    zone = ["--set", "bridge.replicas=1,bridge.ingest.enabled=true"]
    closed = Objects(template(PRODUCTION + zone))
    ingress = closed.one("NetworkPolicy", "-bridge")["spec"]["ingress"]
    assert all(port["port"] != 9324 for rule in ingress for port in rule["ports"])
    named = ["--set-json", 'networkPolicy.bridges=[{"ipBlock":{"cidr":"10.2.0.0/16"}}]']
    opened = Objects(template(PRODUCTION + zone + named))
    ingress = opened.one("NetworkPolicy", "-bridge")["spec"]["ingress"]
    (rule,) = [rule for rule in ingress if rule["ports"][0]["port"] == 9324]
    assert rule["from"] == [{"ipBlock": {"cidr": "10.2.0.0/16"}}]
    service = opened.one("Service", "-bridge-ingest")["spec"]
    assert service["type"] == "ClusterIP" and service["ports"][0]["port"] == 9324
    assert opened.one("Service", "-production-bridge")["spec"]["ports"][0]["port"] == 9024
    refused(PRODUCTION + ["--set", "bridge.replicas=2,bridge.ingest.enabled=true"], "single bridge")
    refused(PRODUCTION + ["--set", "bridge.existingRoutesConfigMap=x"], "destinationPorts")


@point("programs outside reach the bridge, which sees their addresses")
def check_outside(objects):
    service = objects.one("Service", "-bridge")["spec"]
    assert service["type"] == "LoadBalancer" and service["externalTrafficPolicy"] == "Local"
    assert [port["port"] for port in service["ports"]] == [9024]
    node = ["--set", "bridge.service.type=NodePort,bridge.service.nodePort=30024"]
    service = Objects(template(PRODUCTION + node)).one("Service", "-bridge")["spec"]
    assert service["ports"][0]["nodePort"] == 30024
    assert len(objects.of("TCPRoute")) == 1


@point("Ingress and HTTPRoute are off until named")
def check_web(objects):
    ingress = objects.one("Ingress", "-herald-web")["spec"]
    assert ingress["tls"] == [{"hosts": ["logs.example.com"], "secretName": "logs-tls"}]
    assert len(objects.of("HTTPRoute")) == 1
    plain = Objects(template(PRODUCTION))
    assert not plain.of("Ingress", "HTTPRoute", "TCPRoute")
    refused(PRODUCTION + ["--set", "web.ingress.enabled=true"], "hosts")
    refused(PRODUCTION + ["--set", "web.httpRoute.enabled=true"], "parentRefs")


@point("neelix runs once at a time and never stops for good")
def check_neelix(objects):
    for each in objects.of("CronJob"):
        spec, job = each["spec"], each["spec"]["jobTemplate"]["spec"]
        assert spec["concurrencyPolicy"] == "Forbid" and spec["timeZone"]
        assert spec["startingDeadlineSeconds"] >= 10
        assert {"successfulJobsHistoryLimit", "failedJobsHistoryLimit"} <= set(spec)
        assert {"backoffLimit", "activeDeadlineSeconds", "ttlSecondsAfterFinished"} <= set(job)
    assert objects.one("CronJob", "-neelix")["spec"]["jobTemplate"]["spec"]["backoffLimit"] == 0
    late = ["--set", "neelix.enabled=true,neelix.existingRulesConfigMap=x"]
    late += ["--set", "neelix.smtp.url=smtp://x,neelix.activeDeadlineSeconds=300"]
    refused(PRODUCTION + late, "activeDeadlineSeconds")


@point("a disruption budget only where there is more than one pod")
def check_budgets(objects):
    budgets = objects.of("PodDisruptionBudget")
    assert len(budgets) == 2
    assert all(each["spec"]["maxUnavailable"] == 1 for each in budgets)
    assert not Objects(template(environment("testing"))).of("PodDisruptionBudget")


@point("web and bridge can grow and are spread")
def check_growth(objects):
    targets = {each["spec"]["scaleTargetRef"]["name"] for each in objects.of("HorizontalPodAutoscaler")}
    assert targets == {"herald-production-herald-web"}
    assert "replicas" not in objects.one("Deployment", "-herald-web")["spec"]
    more = Objects(template(PRODUCTION + ["--set", "bridge.autoscaling.enabled=true"]))
    assert more.one("HorizontalPodAutoscaler", "-bridge")
    for kind, end in ("StatefulSet", "-bridge"), ("Deployment", "-herald-web"):
        (spread,) = objects.one(kind, end)["spec"]["template"]["spec"]["topologySpreadConstraints"]
        assert spread["labelSelector"]["matchLabels"]["app.kubernetes.io/component"] == end[1:]


@point("every container says what it needs and has a limit on memory")
def check_resources(objects):
    for name, container in objects.containers():
        assert {"cpu", "memory"} <= set(container["resources"]["requests"]), name
        assert "memory" in container["resources"]["limits"], name
        assert "cpu" not in container["resources"]["limits"], name


@point("monitoring is there when asked for")
def check_monitoring(objects):
    assert len(objects.of("ServiceMonitor")) == 3
    (rule,) = objects.of("PrometheusRule")
    text = str(rule["spec"])
    assert 'herald="herald-production"' in text
    assert not re.search(r'here-|"here"|86399', text), "something is not filled in"
    alerts = {alert["alert"] for group in rule["spec"]["groups"] for alert in group["rules"]}
    wanted = "SpoolFilling Lag DeadLetters VolumeFilling NeelixLate BackupOld"
    assert {"Herald" + name for name in wanted.split()} <= alerts
    services = {each["metadata"]["name"]: each for each in objects.of("Service")}
    for monitor in objects.of("ServiceMonitor"):
        selector = monitor["spec"]["selector"]["matchLabels"].items()
        found = [each for each in services.values() if selector <= each["metadata"]["labels"].items()]
        assert len(found) == 1, monitor["metadata"]["name"]
        ports = {port["name"] for port in found[0]["spec"]["ports"]}
        assert monitor["spec"]["endpoints"][0]["port"] in ports
    assert objects.one("ConfigMap", "-dashboard")
    plain = Objects(template(PRODUCTION))
    assert not plain.of("ServiceMonitor", "PrometheusRule", "ConfigMap")


@point("there is room for what only you know, and for a test")
def check_extras(objects):
    pod = objects.one("StatefulSet", "-store")["spec"]["template"]["spec"]
    assert pod["nodeSelector"] and pod["tolerations"] and pod["affinity"]
    assert pod["priorityClassName"] == "logs"
    (container,) = pod["containers"]
    assert {"name": "STORE_READERS", "value": "4"} in container["env"]
    assert {"name": "more", "mountPath": "/more"} in container["volumeMounts"]
    assert objects.one("Pod", "-test-record")["metadata"]["annotations"]["helm.sh/hook"] == "test"


@point("backups go to a volume of their own and are read back")
def check_backup(objects):
    jobs = [each for each in objects.of("CronJob") if not each["metadata"]["name"].endswith("-neelix")]
    assert len(jobs) == 2
    for job in jobs:
        pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
        file = "/backup/herald.sqlite." + job["metadata"]["name"].rsplit("-", 1)[1]
        assert pod["initContainers"][0]["args"] == ["backup", "--force", file]
        assert pod["containers"][0]["args"] == ["verify", file]
    assert not Objects(template(environment("development"))).of("CronJob")
