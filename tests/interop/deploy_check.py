"""What is deployed, by the official schemas: the compose file, and the manifests of Kubernetes.

Run by `scripts/deploy-check` in an environment that has kubernetes-validate, which holds the schemas of Kubernetes.
"""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import kubernetes_validate
import yaml

DEPLOY = Path(__file__).parents[2] / "deploy"
COMPOSE = Path(__file__).parent / "schemas" / "compose-spec.json"
NEWEST = kubernetes_validate.latest_version()
VERSIONS = (f"1.{int(NEWEST.split('.')[1]) - 3}", NEWEST)
"""The oldest release of Kubernetes that is looked after, and the newest one that there is a schema of."""


def main() -> None:
    """Validate every file; the first one that is not valid ends this with its error."""
    schema = json.loads(COMPOSE.read_text("utf-8"))
    jsonschema.Draft7Validator(schema).validate(yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8")))
    kinds = []
    for file in sorted((DEPLOY / "kubernetes").glob("*.yaml")):
        for manifest in yaml.safe_load_all(file.read_text("utf-8")):
            if file.name == "kustomization.yaml":
                continue  # it is read by kubectl and has no schema there
            for version in VERSIONS:
                kubernetes_validate.validate(manifest, version, strict=True)
            kinds.append(manifest["kind"])
    print(f"compose.yaml and {', '.join(kinds)} are valid in Kubernetes {' and '.join(VERSIONS)}")


if __name__ == "__main__":
    main()
