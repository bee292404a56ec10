"""Looks at what is shipped for operators with linters, schemas and types that nobody here wrote.

usage: deploy_check.py SBOM

Run in the root of the checkout. Ends with 1 at the first thing that is wrong.
"""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import yaml

BIN = Path(sys.executable).parent


def dockerfile():
    """hadolint, with nothing passed over but what the file itself says."""
    subprocess.run([BIN / "hadolint", "Dockerfile"], check=True)


def kubernetes():
    """Each manifest holds to Kubernetes' schema, with no field that is not in it; and gives few rights."""
    folder = Path("deploy/kubernetes")
    listed = yaml.safe_load((folder / "kustomization.yaml").read_text())["resources"]
    paths = [folder / name for name in listed]
    command = [BIN / "kubernetes-validate", "--strict", "--quiet", *paths, folder / "secret.example.yaml"]
    subprocess.run(command, check=True)
    documents = [it for path in paths for it in yaml.safe_load_all(path.read_text())]
    (deployment,) = [it for it in documents if it["kind"] == "Deployment"]
    spec = deployment["spec"]
    assert (spec["replicas"], spec["strategy"]["type"]) == (1, "Recreate"), "two halls would fight"
    pod = spec["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] and pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault"
    (container,) = pod["containers"]
    rights = container["securityContext"]
    assert rights["readOnlyRootFilesystem"] and rights["allowPrivilegeEscalation"] is False
    assert rights["capabilities"]["drop"] == ["ALL"]
    assert container["livenessProbe"]["httpGet"]["path"] == "/livez"
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    claims = {it["metadata"]["name"] for it in documents if it["kind"] == "PersistentVolumeClaim"}
    used = {it["persistentVolumeClaim"]["claimName"] for it in pod["volumes"] if "persistentVolumeClaim" in it}
    assert claims == used and len(claims) == 2, "the keys lie apart from the data"
    secrets = [it["value"] for it in container["env"] if it["name"].endswith("_FILE")]
    assert secrets and all(it.startswith("/run/secrets/") for it in secrets)


def compose():
    hall = yaml.safe_load(Path("deploy/compose.yml").read_text())["services"]["hall"]
    assert hall["read_only"] and hall["cap_drop"] == ["ALL"] and hall["user"] == "65532:65532"
    assert hall["security_opt"] == ["no-new-privileges:true"]
    told = [name for name in hall["environment"] if name.endswith(("TOKEN", "KEY", "PASSWORD"))]
    assert not told, f"secrets are files: {told}"


def dashboard():
    """Grafana's own types read the dashboard, and write what they have read."""
    from grafana_foundation_sdk.cog import plugins
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.models import dashboard

    plugins.register_default_plugins()
    text = json.loads(Path("config/grafana/guildhall.json").read_text())
    read = dashboard.Dashboard.from_json(text)
    assert len(read.panels) == len(text["panels"])
    for panel, given in zip(read.panels, text["panels"]):
        assert [it.expr for it in panel.targets] == [it["expr"] for it in given["targets"]]
    written = json.loads(JSONEncoder(sort_keys=True).encode(read))
    assert [it["title"] for it in written["panels"]] == [it["title"] for it in text["panels"]]


def bill(path):
    """The bill of materials is valid, and every line of it is in Cargo.lock."""
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    text = Path(path).read_text()
    problem = JsonStrictValidator(SchemaVersion.V1_5).validate_str(text)
    assert problem is None, problem
    parts = json.loads(text)["components"]
    locked = {(it["name"], it["version"]) for it in tomllib.loads(Path("Cargo.lock").read_text())["package"]}
    strange = [it["name"] for it in parts if (it["name"], it["version"]) not in locked]
    assert not strange, strange
    names = {it["name"] for it in parts}
    assert {"tokio", "rustls", "sled", "flow"} <= names, "what the program is built from"
    assert "proptest" not in names, "what only tests need"
    assert str(Path.cwd()) not in text, "a folder of this machine is in it"
    print(f"bill of materials: {len(parts)} parts")


for check in (dockerfile, kubernetes, compose, dashboard):
    check()
    print(f"{check.__name__}: good")
bill(sys.argv[1])
