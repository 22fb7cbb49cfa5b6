"""The answer to a request: what came back, who answered, and the way it took."""

from __future__ import annotations

import html
from dataclasses import asdict, dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .ingress import Rule
    from .tracing import Trace


@dataclass
class Response:
    """The answer of :meth:`wavetank.Cluster.curl`; prints as ``curl -v`` does.

    Attributes
    ----------
    url, method
        What was asked.
    exit_code, error
        What curl would end with: 0, or 6 (no such host), 7 (refused), 28 (timeout), 60
        (certificate), ..., and its sentence.
    status
        The status code; 0 when there was no answer.
    headers, body
        The answer.
    address, port
        Where the request was sent, after the name was looked up.
    pod, namespace, node, zone
        The pod that answered and where it is; empty when none did.
    container, container_port
        Its container, if one declares the port, and the port.
    rule
        The rule of the Ingress that matched.
    traces
        The way of each connection: of the client's, and of the ingress controller's.
    lines
        What is printed: a mark (``*``, ``>``, ``<`` as curl has them, ``~`` for what happens in
        the network) and a text.
    """

    url: str
    method: str = "GET"
    exit_code: int = 0
    error: str = ""
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    address: str = ""
    port: int = 0
    pod: str = ""
    namespace: str = ""
    node: str = ""
    zone: str = ""
    container: str = ""
    container_port: int = 0
    rule: Rule | None = None
    traces: list[Trace] = field(default_factory=list, repr=False)
    lines: list[tuple[str, str]] = field(default_factory=list, repr=False)

    @property
    def ok(self) -> bool:
        """Whether an answer came that is no error."""
        return self.exit_code == 0 and self.status < 400

    @property
    def reason(self) -> str:
        """The words of the status code."""
        return HTTPStatus(self.status).phrase if self.status else ""

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies it sets."""
        name, _, value = self.headers.get("Set-Cookie", "").partition(";")[0].partition("=")
        return {name: value} if name else {}

    def say(self, mark: str, text: str) -> None:
        """Add a line to what is printed."""
        self.lines.append((mark, text))

    def fail(self, code: int, error: str) -> Response:
        """End as curl ends with an error."""
        self.exit_code, self.error = code, error
        return self

    def text(self) -> str:
        """Return what ``curl -v`` would print, with the way through the network."""
        lines = [line(mark, text) for mark, text in self.lines]
        if self.exit_code:
            lines.append(f"curl: ({self.exit_code}) {self.error}")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, as ``wavetank curl --json`` prints it."""
        found = {
            name: value
            for name, value in self.__dict__.items()
            if name not in {"traces", "lines", "rule"}
        }
        found["rule"] = asdict(self.rule) if self.rule else None
        found["traces"] = [trace.to_dict() for trace in self.traces]
        return found

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        if self.exit_code:
            return f"<Response curl: ({self.exit_code}) {self.error}>"
        by = f" of pod/{self.namespace}/{self.pod}" if self.pod else ""
        return f"<Response {self.status} {self.reason}{by}>"

    def _repr_html_(self) -> str:
        colours = {"~": "#0072B2", ">": "#555555", "<": "#009E73", "*": "#555555"}
        lines = [
            f'<span style="color: {colours.get(mark, "inherit")}">'
            f"{html.escape(line(mark, text))}</span>"
            for mark, text in self.lines
        ]
        if self.exit_code:
            error = html.escape(f"curl: ({self.exit_code}) {self.error}")
            lines.append(f'<span style="color: #D55E00">{error}</span>')
        return f'<pre style="line-height: 1.3">{"<br>".join(lines)}</pre>'


def line(mark: str, text: str) -> str:
    """Return a line as it is printed; what came back stands without a mark."""
    return f"{mark} {text}".rstrip() if mark else text
