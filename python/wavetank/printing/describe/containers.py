"""Containers of pods and of pod templates."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from wavetank import _core
from wavetank.printing.ages import rfc1123
from wavetank.printing.objects import Object, dig, quantity

from .common import go

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .page import Page


def containers(
    page: Page,
    title: str,
    items: Sequence[Object],
    statuses: Sequence[Object] = (),
    *,
    pod: Object | None = None,
    indent: str = "",
) -> None:
    """Print containers, with their states when they run in a pod."""
    by_name = {status.get("name"): status for status in statuses}
    page.row(f"{indent}{title}:{'' if items else ' <none>'}")
    for item in items:
        status = by_name.get(item.get("name"))
        page.row(f"{' ' if indent else ''}{item.get('name')}:", level=1)
        _basics(page, item, status)
        _words(page, "Command", item.get("command"))
        _words(page, "Args", item.get("args"))
        if status is not None:
            _states(page, status)
        resources(page, item.get("resources"), level=2)
        for probe_title, field in _PROBES:
            if item.get(field) is not None:
                page.row(f"{probe_title}:", probe(item[field]), level=2)
        _environment(page, item, pod)
        _mounts(page, item)


_PROBES = (
    ("Liveness", "livenessProbe"),
    ("Readiness", "readinessProbe"),
    ("Startup", "startupProbe"),
)


def _basics(page: Page, item: Object, status: Object | None) -> None:
    if status is not None:
        page.row("Container ID:", status.get("containerID", ""), level=2)
    page.row("Image:", item.get("image", ""), level=2)
    if status is not None:
        page.row("Image ID:", status.get("imageID", ""), level=2)
    for title, field in (("Port", "containerPort"), ("Host Port", "hostPort")):
        text = ", ".join(_port(port, field) for port in item.get("ports") or ())
        page.row(f"{title}s:" if "," in text else f"{title}:", text or "<none>", level=2)
    profile = dig(item, "securityContext", "seccompProfile")
    if profile is not None:
        page.row("SeccompProfile:", profile.get("type", ""), level=2)
        if profile.get("type") == "Localhost":
            page.row("LocalhostProfile:", profile.get("localhostProfile", ""), level=3)


def _port(port: Object, field: str) -> str:
    text = f"{port.get(field, 0)}/{port.get('protocol', 'TCP')}"
    return f"{text} ({port['name']})" if port.get("name") else text


def _words(page: Page, title: str, words: Sequence[str] | None) -> None:
    if words:
        page.row(f"{title}:", level=2)
        for word in words:
            for line in str(word).split("\n"):
                page.row(line, level=3)


def _states(page: Page, status: Object) -> None:
    _state(page, "State", dig(status, "state", default={}))
    if dig(status, "lastState", "terminated") is not None:
        _state(page, "Last State", status["lastState"])
    page.row("Ready:", str(bool(status.get("ready"))), level=2)
    page.row("Restart Count:", status.get("restartCount", 0), level=2)


def _state(page: Page, title: str, state: Object) -> None:
    running, waiting, ended = (state.get(word) for word in ("running", "waiting", "terminated"))
    if running is not None:
        page.row(f"{title}:", "Running", level=2)
        page.row("Started:", rfc1123(running.get("startedAt")), level=3)
    elif waiting is not None or ended is None:
        page.row(f"{title}:", "Waiting", level=2)
        reason = dig(waiting, "reason")
        if reason:
            page.row("Reason:", reason, level=3)
    else:
        page.row(f"{title}:", "Terminated", level=2)
        for name in ("reason", "message"):
            if ended.get(name):
                page.row(f"{name.title()}:", ended[name], level=3)
        page.row("Exit Code:", ended.get("exitCode", 0), level=3)
        if ended.get("signal"):
            page.row("Signal:", ended["signal"], level=3)
        page.row("Started:", rfc1123(ended.get("startedAt")), level=3)
        page.row("Finished:", rfc1123(ended.get("finishedAt")), level=3)


def resources(page: Page, item: Object | None, level: int) -> None:
    """Print limits and requests."""
    for title, field in (("Limits", "limits"), ("Requests", "requests")):
        amounts = dig(item, field, default={})
        if amounts:
            page.row(f"{title}:", level=level)
        for name in sorted(amounts):
            page.row(f"{name}:", quantity(amounts[name]), level=level + 1)


def probe(item: Object) -> str:
    """Return a probe as one line."""
    fields = (
        ("delay", "initialDelaySeconds", "s"),
        ("timeout", "timeoutSeconds", "s"),
        ("period", "periodSeconds", "s"),
        ("#success", "successThreshold", ""),
        ("#failure", "failureThreshold", ""),
    )
    figures = " ".join(f"{word}={item.get(field, 0)}{unit}" for word, field, unit in fields)
    return f"{_probe_handler(item)} {figures}"


def _probe_handler(item: Object) -> str:
    if item.get("exec") is not None:
        return f"exec {go(item['exec'].get('command') or [])}"
    if item.get("httpGet") is not None:
        http = item["httpGet"]
        path = str(http.get("path", ""))
        slash = "" if not path or path.startswith("/") else "/"
        address = f"{http.get('host', '')}:{http.get('port', '')}"
        return f"http-get {str(http.get('scheme', '')).lower()}://{address}{slash}{path}"
    if item.get("tcpSocket") is not None:
        socket = item["tcpSocket"]
        return f"tcp-socket {socket.get('host', '')}:{socket.get('port', '')}"
    if item.get("grpc") is not None:
        return f"grpc <pod>:{item['grpc'].get('port')} {item['grpc'].get('service', '')}"
    return "unknown"


def _environment(page: Page, item: Object, pod: Object | None) -> None:
    sources = item.get("envFrom") or ()
    if sources:
        page.row("Environment Variables from:", level=2)
    for source in sources:
        page.row(*_source(source), level=3)
    variables = item.get("env") or ()
    page.row("Environment:", *([] if variables else ["<none>"]), level=2)
    for variable in variables:
        name = f"{variable.get('name')}:"
        if variable.get("valueFrom") is not None:
            page.row(name, *_value_from(variable["valueFrom"], item, pod), level=3)
            continue
        first, *others = str(variable.get("value", "")).split("\n")
        page.row(name, first, level=3)
        for line in others:
            page.row("", line, level=3)


def _source(source: Object) -> tuple[str, str, str]:
    kind, reference = "", {}
    for found, field in (("ConfigMap", "configMapRef"), ("Secret", "secretRef")):
        if not kind and source.get(field) is not None:
            kind, reference = found, source[field]
    prefix = f" with prefix '{source['prefix']}'" if source.get("prefix") else ""
    return reference.get("name", ""), kind + prefix, f"Optional: {_optional(reference)}"


def _optional(reference: Object) -> str:
    return go(bool(reference.get("optional")))


def _value_from(source: Object, container: Object, pod: Object | None) -> list[str]:
    """Return the cells of a variable whose value stands elsewhere."""
    if source.get("fieldRef") is not None:
        reference = source["fieldRef"]
        value = field_of_pod(pod, reference.get("fieldPath", "")) if pod is not None else ""
        return [f"{value} ({reference.get('apiVersion', 'v1')}:{reference.get('fieldPath')})"]
    if source.get("resourceFieldRef") is not None:
        reference = source["resourceFieldRef"]
        return [f"{_resource_field(reference, container)} ({reference.get('resource')})"]
    for field, place in (("secretKeyRef", "in secret"), ("configMapKeyRef", "of config map")):
        if source.get(field) is not None:
            reference = source[field]
            text = (
                f"<set to the key '{reference.get('key')}' {place} '{reference.get('name', '')}'>"
            )
            return [text, f"Optional: {_optional(reference)}"]
    return [""]


def field_of_pod(pod: Object, path: str) -> str:
    """Return a field of a pod's metadata as a variable or a file would hold it."""
    metadata = dig(pod, "metadata", default={})
    base, _, subscript = path.removesuffix("']").partition("['")
    field = base.removeprefix("metadata.")
    if path.endswith("']"):
        return str(dig(metadata, field, default={}).get(subscript, ""))
    if path in ("metadata.labels", "metadata.annotations"):
        pairs = sorted(dig(metadata, field, default={}).items())
        return "\n".join(f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in pairs)
    if path in ("metadata.name", "metadata.namespace", "metadata.uid"):
        return str(metadata.get(field, ""))
    return ""


def _resource_field(reference: Object, container: Object) -> str:
    part, _, name = str(reference.get("resource", "")).partition(".")
    amount: Any = dig(container, "resources", part, name, default="0")
    divisor = reference.get("divisor") or "1"
    divisor = divisor if _core.quantity_milli_value(divisor) else "1"
    read = _core.quantity_milli_value if name == "cpu" else _core.quantity_value
    value = math.ceil(read(amount) / read(divisor))
    if not value and part == "limits" and name in ("cpu", "memory"):
        return "node allocatable"
    return str(value)


def _mounts(page: Page, item: Object) -> None:
    mounts = sorted(item.get("volumeMounts") or (), key=lambda mount: mount.get("mountPath", ""))
    none = [] if mounts else ["<none>"]
    page.row("Mounts:", *none, level=2)
    for mount in mounts:
        flags = "ro" if mount.get("readOnly") else "rw"
        if mount.get("subPath"):
            flags += f",path={json.dumps(mount['subPath'], ensure_ascii=False)}"
        page.row(f"{mount.get('mountPath')} from {mount.get('name')} ({flags})", level=3)
    devices = sorted(item.get("volumeDevices") or (), key=lambda one: one.get("devicePath", ""))
    if devices:
        page.row("Devices:", *none, level=2)
    for device in devices:
        page.row(f"{device.get('devicePath')} from {device.get('name')}", level=3)
