"""Record what a kube-apiserver makes of custom resources, as golden lines on standard output.

    python tools/record/custom/record.py URL TOKEN < tools/record/custom/cases.json

The first line is the definition; each of the others has the object, and either the object as it
would be stored with the warnings, or the causes of the refusal. The order of causes is random
in Kubernetes, so they are sorted.
"""

from __future__ import annotations

import json
import ssl
import sys
import time
import urllib.error
import urllib.request
from typing import Any

URL, TOKEN = sys.argv[1:3]
# The server made its certificate itself a moment ago.
ANY = ssl._create_unverified_context()  # noqa: S323, SLF001


def call(method: str, path: str, body: Any = None) -> tuple[dict[str, Any], list[str]]:
    """Return the answer of the API server and its warnings."""
    request = urllib.request.Request(  # noqa: S310
        URL + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, context=ANY) as answer:  # noqa: S310
            return json.load(answer), answer.headers.get_all("Warning") or []
    except urllib.error.HTTPError as error:
        return json.load(error), error.headers.get_all("Warning") or []


def main() -> None:
    """Print the golden lines."""
    cases = json.load(sys.stdin)
    definition = cases["definition"]
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    name = definition["metadata"]["name"]
    call("DELETE", f"{path}/{name}")
    time.sleep(3)
    made, _ = call("POST", path, definition)
    if made["kind"] != "CustomResourceDefinition":
        raise SystemExit(json.dumps(made))
    time.sleep(4)
    print(json.dumps(definition))
    group, names = definition["spec"]["group"], definition["spec"]["names"]
    target = (
        f"/apis/{group}/v1/namespaces/default/{names['plural']}?dryRun=All&fieldValidation=Warn"
    )
    for spec in cases["specs"]:
        head = {"apiVersion": f"{group}/v1", "kind": names["kind"], "metadata": {"name": "a"}}
        answer, warnings = call("POST", target, {**head, "spec": spec})
        line: dict[str, Any] = {"spec": spec}
        if answer["kind"] == "Status":
            causes = answer.get("details", {}).get("causes", [])
            line["causes"] = sorted(f"{cause['field']}: {cause['message']}" for cause in causes)
            if not causes:
                line["message"] = answer["message"]
        else:
            line["stored"] = answer.get("spec")
            line["warnings"] = sorted(w.split('"', 1)[1][:-1].replace('\\"', '"') for w in warnings)
        print(json.dumps(line, ensure_ascii=False))


if __name__ == "__main__":
    main()
