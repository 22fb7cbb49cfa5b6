"""Record what a kube-apiserver makes of objects, as golden lines.

    python tools/record/rules/record.py URL TOKEN

The cases are the lines of `tests/golden/apiserver/*.jsonl` themselves: each names a valid object
of `objects.yaml` and how it is changed; the answers in them are written anew. The server is a
fresh one without the admission plugins ServiceAccount, TaintNodesByCondition,
StorageObjectInUseProtection, LimitRanger, DefaultStorageClass, DefaultIngressClass, PodSecurity,
RuntimeClass, ResourceQuota, PodTopologyLabels and the webhooks.
"""

from __future__ import annotations

import http.client
import json
import ssl
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT))

from tests.api.edits import edited  # noqa: E402
from tests.api.recorded import (  # noqa: E402
    FOLDER,
    answer_of,
    given_in,
    in_any_order,
    objects,
    statuses,
)

Object = dict[str, Any]


class Server:
    """An API server, one kept connection."""

    def __init__(self, url: str, token: str) -> None:
        # The server made its certificate itself a moment ago.
        context = ssl._create_unverified_context()  # noqa: S323, SLF001
        self.connection = http.client.HTTPSConnection(urlsplit(url).netloc, context=context)
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self.resources: dict[tuple[str, str], Object] = {}

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Object]:
        """Return the code and the answer; code 0 if there was none."""
        data = None if body is None else json.dumps(body)
        self.connection.request(method, path, data, self.headers)
        try:
            response = self.connection.getresponse()
        except http.client.RemoteDisconnected:
            # The handler of the request panicked; http.client connects again by itself.
            self.connection.close()
            return 0, {}
        return response.status, json.loads(response.read())

    def path(self, document: Object, part: str = "", *, named: bool = True) -> str:
        """Return the path of an object, of its kind, or of a subresource."""
        api_version, kind = document["apiVersion"], document["kind"]
        base = ("/apis/" if "/" in api_version else "/api/") + api_version
        if (api_version, kind) not in self.resources:
            for resource in self.call("GET", base)[1]["resources"]:
                if "/" not in resource["name"]:
                    self.resources[api_version, resource["kind"]] = resource
        resource = self.resources[api_version, kind]
        namespace = "/namespaces/default" if resource["namespaced"] else ""
        name = f"/{document['metadata']['name']}" if named else ""
        return f"{base}{namespace}/{resource['name']}{name}{part and '/' + part}"


def record(server: Server, file: str, ask: Any) -> None:
    """Write the answers of one file anew; cases the server panics at are left out."""
    path = FOLDER / file
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    with path.open("w") as out:
        for line in lines:
            case = {key: line[key] for key in ("on", "after", "edit") if key in line}
            answer = settled(server, case, ask)
            if answer["code"]:
                out.write(json.dumps(case | answer, separators=(",", ":")) + "\n")


def settled(server: Server, case: Object, ask: Any) -> Object:
    """Return an answer, and find out whether its causes come in an order."""
    answer: Object = ask(server, case)
    if len(set(answer.get("causes", []))) < 2:
        return answer
    # Of two entries of a Go map the first comes first seven times out of eight.
    again = [ask(server, case) for _ in range(40)]
    return answer if all(one == answer for one in again) else in_any_order(answer)


def create(server: Server, case: Object) -> Object:
    sent = edited(objects()[case["on"]], case["edit"])
    path = server.path(objects()[case["on"]], named=False)
    code, answer = server.call("POST", f"{path}?dryRun=All&fieldValidation=Strict", sent)
    return answer_of(code, answer, sent)


def update(server: Server, case: Object, part: str = "") -> Object:
    path = server.path(objects()[case["on"]])
    stored = server.call("GET", path)[1]
    sent = edited(stored, case["edit"])
    target = path + (part and f"/{part}")
    code, answer = server.call("PUT", f"{target}?dryRun=All&fieldValidation=Strict", sent)
    return answer_of(code, answer, given_in(case), stored)


def status(server: Server, case: Object) -> Object:
    return update(server, case, "status")


def settle(server: Server) -> None:
    """Create every object that other cases change."""
    for document in objects().values():
        code, answer = server.call("POST", server.path(document, named=False), document)
        if code not in {201, 409}:
            raise SystemExit(json.dumps(answer))
    time.sleep(4)


def advance(server: Server) -> None:
    """Give the objects their statuses; those that are refused stay as they were."""
    for name, document in statuses().items():
        path = server.path(objects()[name])
        stored = server.call("GET", path)[1]
        server.call("PUT", f"{path}/status", {**stored, "status": document})


def main() -> None:
    server = Server(*sys.argv[1:3])
    record(server, "create.jsonl", create)
    settle(server)
    record(server, "update.jsonl", update)
    record(server, "status.jsonl", status)
    advance(server)
    record(server, "update-after-status.jsonl", update)
    record(server, "status-after-status.jsonl", status)


if __name__ == "__main__":
    main()
