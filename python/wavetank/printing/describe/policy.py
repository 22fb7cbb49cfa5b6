"""Who may do what, how many may be missing, how many there should be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wavetank.printing.objects import Object, dig, name, quantity, selector

from . import common

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wavetank.cluster import Cluster

    from .page import Page


def role(page: Page, _: Cluster, item: Object) -> None:
    """Describe a role or cluster role."""
    common.head(page, item, namespaced=False)
    page.row("PolicyRule:")
    page.row("Resources", "Non-Resource URLs", "Resource Names", "Verbs", level=1)
    page.row("---------", "-" * 17, "-" * 14, "-----", level=1)
    for resource, urls, names, verbs in _compact(item.get("rules") or ()):
        page.row(resource, common.go(urls), common.go(names), common.go(verbs), level=1)


def _compact(rules: Sequence[Object]) -> list[tuple[Any, ...]]:
    """Return one row per resource and name, verbs gathered, in kubectl's order."""
    verbs: dict[tuple[str, str, tuple[str, ...]], list[str]] = {}
    others = []
    for rule in rules:
        for group, resource, names, verb in _broken_down(rule):
            known = verbs.setdefault((group, resource, names), [])
            known += [] if verb in known else [verb]
        urls = rule.get("nonResourceURLs") or ()
        others += [(url, verb) for url in urls for verb in rule.get("verbs") or ()]
    rows: list[tuple[Any, ...]] = []
    for (group, resource, names), known in verbs.items():
        order = _printed(known, [group], [resource], names, ())
        rows.append((order, _title(resource, group), (), names, known))
    for url, verb in others:
        rows.append((_printed([verb], [], [], (), [url]), "", (url,), (), [verb]))
    return [row[1:] for row in sorted(rows, key=lambda row: row[0])]


def _broken_down(rule: Object) -> Iterator[tuple[str, str, tuple[str, ...], str]]:
    names: list[tuple[str, ...]] = [(one,) for one in rule.get("resourceNames") or ()]
    for group in rule.get("apiGroups") or ():
        for resource in rule.get("resources") or ():
            for verb in rule.get("verbs") or ():
                for name_ in names or [()]:
                    yield group, resource, name_, verb


def _printed(
    verbs: Sequence[str],
    groups: Sequence[str],
    resources: Sequence[str],
    names: Sequence[str],
    urls: Sequence[str],
) -> str:
    """Return a rule as Go prints it, by which kubectl sorts."""
    lists = (verbs, groups, resources, names, urls)
    titles = ("Verbs", "APIGroups", "Resources", "ResourceNames", "NonResourceURLs")
    parts = (f"{title}:[{' '.join(words)}]," for title, words in zip(titles, lists, strict=True))
    return f"&PolicyRule{{{''.join(parts)}}}"


def _title(resource: str, group: str) -> str:
    head, slash, rest = resource.partition("/")
    return f"{head}.{group}{slash}{rest}" if group else resource


def role_binding(page: Page, _: Cluster, item: Object) -> None:
    """Describe a role binding or cluster role binding."""
    common.head(page, item, namespaced=False)
    page.row("Role:")
    page.row("Kind:", dig(item, "roleRef", "kind", default=""), level=1)
    page.row("Name:", dig(item, "roleRef", "name", default=""), level=1)
    page.row("Subjects:")
    page.row("Kind", "Name", "Namespace", level=1)
    page.row("----", "----", "---------", level=1)
    for subject in item.get("subjects") or ():
        page.row(*(subject.get(field, "") for field in ("kind", "name", "namespace")), level=1)


def disruption_budget(page: Page, cluster: Cluster, item: Object) -> None:
    """Describe a pod disruption budget."""
    spec, status = dig(item, "spec", default={}), dig(item, "status", default={})
    page.row("Name:", name(item))
    page.row("Namespace:", dig(item, "metadata", "namespace", default=""))
    if spec.get("minAvailable") is not None:
        page.row("Min available:", spec["minAvailable"])
    elif spec.get("maxUnavailable") is not None:
        page.row("Max unavailable:", spec["maxUnavailable"])
    page.row("Selector:", selector(spec.get("selector"), empty="<unset>"))
    page.row("Status:")
    for title, field in (
        ("Allowed disruptions", "disruptionsAllowed"),
        ("Current", "currentHealthy"),
        ("Desired", "desiredHealthy"),
        ("Total", "expectedPods"),
    ):
        page.row(f"{title}:", status.get(field) or 0, level=2)
    common.events(page, cluster, item)


def autoscaler(page: Page, cluster: Cluster, item: Object) -> None:
    """Describe a horizontal pod autoscaler of version 2."""
    spec, status = dig(item, "spec", default={}), dig(item, "status", default={})
    common.head(page, item)
    common.created(page, item)
    target = dig(spec, "scaleTargetRef", default={})
    page.row("Reference:", f"{target.get('kind')}/{target.get('name')}")
    page.row("Metrics:", "( current / target )")
    current = status.get("currentMetrics") or []
    for at, metric in enumerate(spec.get("metrics") or ()):
        _metric(page, metric, current[at] if at < len(current) else {})
    page.row("Min replicas:", common.or_unset(spec.get("minReplicas")))
    page.row("Max replicas:", spec.get("maxReplicas", 0))
    if spec.get("behavior") is not None:
        page.row("Behavior:")
        _behavior(page, "Scale Up", spec["behavior"].get("scaleUp"))
        _behavior(page, "Scale Down", spec["behavior"].get("scaleDown"))
    counts = status.get("currentReplicas") or 0, status.get("desiredReplicas") or 0
    page.row(f"{target.get('kind')} pods:", f"{counts[0]} current / {counts[1]} desired")
    if status.get("conditions"):
        page.row("Conditions:")
        page.row("Type", "Status", "Reason", "Message", level=1)
        page.row("----", "------", "------", "-------", level=1)
    for one in status.get("conditions") or ():
        fields = ("type", "status", "reason", "message")
        page.row(*(one.get(field, "") for field in fields), level=1)
    common.events(page, cluster, item)


_SOURCES = {
    "External": "external",
    "Pods": "pods",
    "Object": "object",
    "Resource": "resource",
    "ContainerResource": "containerResource",
}


def _metric(page: Page, metric: Object, current: Object) -> None:
    kind = str(metric.get("type"))
    if kind not in _SOURCES:
        page.row(f'<unknown metric type "{kind}">', level=1)
        return
    source = dig(metric, _SOURCES[kind], default={})
    now = dig(current, _SOURCES[kind], "current")
    target = dig(source, "target", default={})
    by_average = target.get("averageValue") is not None
    title = dig(source, "metric", "name", default="")
    if kind == "Pods":
        _amounts(page, f'"{title}" on pods:', now, target, "averageValue")
    elif kind in ("External", "Object"):
        described = dig(source, "describedObject", default={})
        about = f" on {described.get('kind')}/{described.get('name')}" if kind == "Object" else ""
        by_average = target.get("type") == "AverageValue" if kind == "Object" else by_average
        word, field = ("average value", "averageValue") if by_average else ("value", "value")
        _amounts(page, f'"{title}"{about} (target {word}):', now, target, field)
    else:
        about = f' of container "{source.get("container")}"' * (kind == "ContainerResource")
        text = f"resource {source.get('name')}{about} on pods"
        if by_average:
            _amounts(page, f"{text}:", now, target, "averageValue")
        else:
            # kubectl indents what follows once more.
            _share(page, f"{text}  (as a percentage of request):", now, target)


def _amounts(page: Page, title: str, now: Object | None, target: Object, field: str) -> None:
    shown = "<unknown>" if dig(now, field) is None else quantity(dig(now, field))
    page.row(title, f"{shown} / {quantity(target.get(field), '<nil>')}", level=1)


def _share(page: Page, title: str, now: Object | None, target: Object) -> None:
    share = dig(now, "averageUtilization")
    shown = "<unknown>"
    if share is not None:
        shown = f"{share}% ({quantity(dig(now, 'averageValue'), '<nil>')})"
    wanted = target.get("averageUtilization")
    page.row(title, f"{shown} / {'<auto>' if wanted is None else f'{wanted}%'}", level=1)


def _behavior(page: Page, title: str, rules: Object | None) -> None:
    if rules is None:
        return
    page.row(f"{title}:", level=1)
    seconds = rules.get("stabilizationWindowSeconds")
    if seconds is not None:
        page.row(f"Stabilization Window: {seconds} seconds", level=2)
    if rules.get("policies"):
        page.row(f"Select Policy: {rules.get('selectPolicy') or 'Max'}", level=2)
        page.row("Policies:", level=2)
    for one in rules.get("policies") or ():
        cells = (
            f"- Type: {one.get('type')}",
            f"Value: {one.get('value')}",
            f"Period: {one.get('periodSeconds')} seconds",
        )
        page.row(*cells, level=3)
