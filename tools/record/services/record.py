"""Record what a kube-apiserver makes of Services that ask for addresses, as golden lines.

    python tools/record/services/record.py NAME URL TOKEN

NAME is one of the ranges in `cases.py`, which the server was started with
(`--service-cluster-ip-range`). Writes `tests/golden/services/NAME.jsonl`: one case per line,
`{"steps": [...], "expected": [...]}`.
"""

from __future__ import annotations

import http.client
import json
import ssl
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(Path(__file__).parent))

from cases import Names, Object, cases, shown  # noqa: E402

PATH = "/api/v1/namespaces/default/services"
METHODS = {"create": "POST", "update": "PUT", "patch": "PATCH", "delete": "DELETE"}


class Server:
    """An API server."""

    def __init__(self, url: str, token: str) -> None:
        self.url, self.token = url, token
        # The server made its certificate itself a moment ago.
        self.context = ssl._create_unverified_context()  # noqa: S323, SLF001

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Object]:
        merge = method == "PATCH"
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/merge-patch+json" if merge else "application/json",
        }
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers, method=method)  # noqa: S310
        try:
            with urllib.request.urlopen(request, context=self.context) as response:  # noqa: S310
                return response.status, json.loads(response.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())
        except http.client.RemoteDisconnected:
            # The handler of the request panicked.
            return 0, {}


def clear(server: Server) -> None:
    """Delete every Service but the one that is always there."""
    for item in server.call("GET", PATH)[1]["items"]:
        name = item["metadata"]["name"]
        if name != "kubernetes":
            server.call("DELETE", f"{PATH}/{name}")


def answers(server: Server, steps: list[Object]) -> list[Object]:
    """Take a case through its steps, up to one the server panics at, or one about nothing."""
    names = Names()
    found = []
    for step in steps:
        name = step.get("name") or step["object"]["metadata"]["name"]
        path = PATH if step["do"] == "create" else f"{PATH}/{name}"
        body = step.get("object") or ({"spec": step["spec"]} if "spec" in step else None)
        if step["do"] == "update" and server.call("GET", path)[0] == 404:
            # It would be created: a case of its own.
            break
        sent = names.resolved(body)
        code, answer = server.call(METHODS[step["do"]], path, sent)
        if step["do"] == "delete":
            found.append({"code": code})
            continue
        if not code:
            break
        names.meet({"sent": sent}, answer)
        found.append(names.named(shown(code, answer)))
    return found


def main() -> None:
    name, url, token = sys.argv[1:]
    server = Server(url, token)
    path = ROOT / f"tests/golden/services/{name}.jsonl"
    with path.open("w") as out:
        for steps in cases(name):
            clear(server)
            expected = answers(server, steps)
            line = {"steps": steps[: len(expected)], "expected": expected}
            out.write(json.dumps(line, separators=(",", ":")) + "\n")
    clear(server)


if __name__ == "__main__":
    main()
