"""Write the table of API facts that the core embeds.

    python tools/generate_api_table.py API_SPEC GO_TYPES > rust/core/src/api/table/v1.36.txt

API_SPEC is a folder with Kubernetes' published description: ``discovery/aggregated_v2.json``,
``discovery/api__v1.json`` and ``openapi-v3/*.json``. GO_TYPES is what ``tools/record/types``
prints: facts of the Go structs the description leaves out (which fields are pointers, which
are written even when empty, which named type an error message shows).

The table holds names and types only, never descriptions. It is line oriented and sorted, so a
new release shows as a readable diff. Its grammar is explained in
``rust/core/src/api/table/mod.rs``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

VERBS = {
    "create": "c",
    "delete": "d",
    "deletecollection": "D",
    "get": "g",
    "list": "l",
    "patch": "p",
    "update": "u",
    "watch": "w",
}
LEAVES = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "q",
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "x",
    "io.k8s.apimachinery.pkg.apis.meta.v1.Time": "t",
    "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": "u",
    "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1": "r",
    "io.k8s.apimachinery.pkg.apis.meta.v1.Patch": "r",
    "io.k8s.apimachinery.pkg.runtime.RawExtension": "r",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON": "j",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray": "j",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool": "j",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray": "j",
}
SCALARS = {
    ("string", ""): "s",
    ("string", "byte"): "y",
    ("boolean", ""): "b",
    ("integer", "int32"): "i",
    ("integer", "int64"): "l",
    ("number", "double"): "d",
}
ALPHA_AND_BETA_OFF = ("alpha", "beta")

Schema = dict[str, Any]


class GoField(NamedTuple):
    """What the Go struct says of one field."""

    always_written: bool
    omit_zero: bool
    expression: str
    embedded: str


def read_schemas(folder: Path) -> dict[str, Schema]:
    """Every component schema by its full name."""
    schemas: dict[str, Schema] = {}
    for path in sorted(folder.glob("*.json")):
        document = json.loads(path.read_text())
        schemas.update(document.get("components", {}).get("schemas", {}))
    return schemas


def read_go_types(path: Path) -> dict[str, dict[str, GoField]]:
    """Fields of every Go struct, by the struct's OpenAPI name."""
    types: dict[str, dict[str, GoField]] = {}
    for line in path.read_text().splitlines():
        name, *rest = line.split("\t")
        if name == "TYPE":
            fields = types[openapi_name(rest[0])] = {}
        elif rest:
            written, expression, embedded = rest[:3]
            fields[name] = GoField(written == "!", "z" in written, expression, embedded)
    return types


def openapi_name(go_name: str) -> str:
    """``k8s.io/api/apps/v1.Deployment`` -> ``io.k8s.api.apps.v1.Deployment``."""
    return "io.k8s." + go_name.removeprefix("k8s.io/").replace("/", ".")


def short_name(name: str) -> str:
    """``io.k8s.api.apps.v1.Deployment`` -> ``apps/v1.Deployment``."""
    package, _, kind = name.rpartition(".")
    parts = [part for part in package.split(".") if part not in ("pkg", "apis")]
    return f"{'/'.join(parts[-2:])}.{kind}"


def reference(schema: Schema) -> str | None:
    """Return the full name of the type a schema refers to."""
    for candidate in (schema, *schema.get("allOf", ())):
        if "$ref" in candidate:
            return str(candidate["$ref"]).rpartition("/")[2]
    return None


def expression(schema: Schema, go: str, package: str) -> str:
    """Write the type of a field in the table's notation, with Go's name where it has one."""
    pointer = "*" if go.startswith("*") else ""
    go = go.removeprefix("*")
    named = ""
    if go.startswith("<"):
        named, _, go = go.partition(">")
        named += ">"
    return pointer + named + bare_expression(schema, go, package)


def bare_expression(schema: Schema, go: str, package: str) -> str:
    target = reference(schema)
    if target is not None:
        if target in LEAVES:
            return LEAVES[target]
        short = short_name(target)
        return short.removeprefix(package + ".")
    kind, form = schema.get("type", ""), schema.get("format", "")
    if kind == "array":
        return "[]" + expression(schema["items"], go.removeprefix("[]"), package)
    if kind == "object":
        key, _, value = go.removeprefix("{").partition("}")
        return f"{{{key}}}" + expression(schema["additionalProperties"], value, package)
    return SCALARS[kind, form]


def field_line(name: str, schema: Schema, go: GoField, required: bool, package: str) -> str:
    """One field: name, flags, type, then what patches and appliers need to know."""
    atomic = schema.get("x-kubernetes-map-type") == "atomic"
    flags = "".join(
        flag
        for flag, on in (
            ("w", go.always_written),
            ("z", go.omit_zero),
            ("r", required),
            ("a", atomic),
        )
        if on
    )
    words = [name, flags or "-", expression(schema, go.expression, package)]
    if go.embedded:
        words.append(f"in={go.embedded}")
    list_type = schema.get("x-kubernetes-list-type", "atomic")
    if list_type == "map":
        words.append("map=" + ",".join(schema["x-kubernetes-list-map-keys"]))
    elif list_type != "atomic":
        words.append(list_type)
    if strategy := schema.get("x-kubernetes-patch-strategy"):
        words.append(f"patch={strategy}")
    if key := schema.get("x-kubernetes-patch-merge-key"):
        words.append(f"key={key}")
    default = schema.get("default")
    if default not in (None, "", {}, 0, False):
        words.append("default=" + json.dumps(default, separators=(",", ":")))
    return " " + " ".join(words)


def list_types(schemas: dict[str, Schema]) -> set[str]:
    """Names of the ``*List`` types: their shape follows from the item, so the table omits them."""
    return {
        name
        for name, schema in schemas.items()
        if name.endswith("List")
        and "items" in schema.get("properties", {})
        and reference(schema["properties"].get("metadata", {})) == META + "ListMeta"
    }


META = "io.k8s.apimachinery.pkg.apis.meta.v1."


def type_lines(
    schemas: dict[str, Schema], go_types: dict[str, dict[str, GoField]]
) -> Iterator[str]:
    """Every struct type with its fields, by package."""
    names = set(schemas) - list_types(schemas) - set(LEAVES)
    package = ""
    for name in sorted(names, key=short_name):
        schema, short = schemas[name], short_name(name)
        if name not in go_types:
            print(f"no Go facts of {name}: left out", file=sys.stderr)
            continue
        if package != short.rpartition(".")[0]:
            package = short.rpartition(".")[0]
            yield f"package {package}"
        atomic = " atomic" if schema.get("x-kubernetes-map-type") == "atomic" else ""
        yield f"type {short.rpartition('.')[2]}{atomic}"
        required = set(schema.get("required", ()))
        for field, body in sorted(schema.get("properties", {}).items()):
            yield field_line(field, body, go_types[name][field], field in required, package)


def object_types(schemas: dict[str, Schema]) -> dict[tuple[str, str, str], str]:
    """Short type name by (group, version, kind), lists left out."""
    found: dict[tuple[str, str, str], str] = {}
    lists = list_types(schemas)
    for name, schema in schemas.items():
        for gvk in schema.get("x-kubernetes-group-version-kind", ()):
            # DeleteOptions and WatchEvent belong to every group; once is enough.
            everywhere = name.startswith(META) and (gvk["group"], gvk["version"]) != ("", "v1")
            if name not in lists and not everywhere:
                found[gvk["group"], gvk["version"], gvk["kind"]] = short_name(name)
    return found


class Resource(NamedTuple):
    """A resource of one group and version, as discovery has it."""

    name: str
    singular: str
    kind: str
    namespaced: bool
    verbs: str
    short_names: list[str]
    categories: list[str]
    subresources: list[tuple[str, str, tuple[str, str, str]]]


def verbs_of(names: list[str]) -> str:
    return "".join(VERBS[verb] for verb in sorted(names, key=list(VERBS).index)) or "-"


def core_resources(path: Path) -> list[Resource]:
    """Read the core group, which the aggregated document of the named groups does not hold."""
    entries = json.loads(path.read_text())["resources"]
    resources = []
    for entry in entries:
        if "/" in entry["name"]:
            continue
        subresources = [
            (
                sub["name"].partition("/")[2],
                verbs_of(sub["verbs"]),
                (sub.get("group", ""), sub.get("version", "v1"), sub["kind"]),
            )
            for sub in entries
            if sub["name"].startswith(entry["name"] + "/")
        ]
        resources.append(
            Resource(
                entry["name"],
                entry["singularName"],
                entry["kind"],
                entry["namespaced"],
                verbs_of(entry["verbs"]),
                entry.get("shortNames", []),
                entry.get("categories", []),
                subresources,
            )
        )
    return resources


def group_resources(group: str, version: dict[str, Any]) -> list[Resource]:
    """Read the resources of one version of a named group."""

    def kind_of(entry: dict[str, Any]) -> tuple[str, str, str]:
        kind = entry.get("responseKind") or {}
        return (
            kind.get("group") or group,
            kind.get("version") or version["version"],
            kind.get("kind", ""),
        )

    return [
        Resource(
            entry["resource"],
            entry["singularResource"],
            kind_of(entry)[2],
            entry["scope"] == "Namespaced",
            verbs_of(entry["verbs"]),
            entry.get("shortNames", []),
            entry.get("categories", []),
            [
                (sub["subresource"], verbs_of(sub["verbs"]), kind_of(sub))
                for sub in entry.get("subresources", ())
            ],
        )
        for entry in version["resources"]
    ]


def resource_lines(
    group: str,
    version: str,
    resources: list[Resource],
    types: dict[tuple[str, str, str], str],
    used: set[tuple[str, str, str]],
) -> Iterator[str]:
    """One version of a group: its resources, each with its subresources."""
    off = " off" if any(word in version for word in ALPHA_AND_BETA_OFF) else ""
    yield f"version {group or '-'} {version}{off}"
    for resource in sorted(resources):
        gvk = (group, version, resource.kind)
        used.add(gvk)
        words = [
            "resource",
            resource.kind,
            resource.name,
            resource.singular,
            "namespaced" if resource.namespaced else "cluster",
            resource.verbs,
            types[gvk],
        ]
        if resource.short_names:
            words.append("short=" + ",".join(resource.short_names))
        if resource.categories:
            words.append("categories=" + ",".join(resource.categories))
        yield " ".join(words)
        for name, verbs, kind in sorted(resource.subresources):
            other = "" if kind == gvk else f" {kind[0] or '-'} {kind[1]} {kind[2]}"
            yield f" sub {name} {verbs}{other}"


def kind_lines(spec: Path, schemas: dict[str, Schema]) -> Iterator[str]:
    """Every kind: resources in discovery's order of preference, then types that are no resource."""
    types = object_types(schemas)
    used: set[tuple[str, str, str]] = set()
    core = core_resources(spec / "discovery/api__v1.json")
    yield from resource_lines("", "v1", core, types, used)
    aggregated = json.loads((spec / "discovery/aggregated_v2.json").read_text())
    for item in aggregated["items"]:
        group = item["metadata"]["name"]
        for version in item["versions"]:
            resources = group_resources(group, version)
            yield from resource_lines(group, version["version"], resources, types, used)
    for gvk in sorted(set(types) - used):
        yield f"object {gvk[0] or '-'} {gvk[1]} {gvk[2]} {types[gvk]}"


def main() -> None:
    """Print the table."""
    spec, go_types = Path(sys.argv[1]), read_go_types(Path(sys.argv[2]))
    schemas = read_schemas(spec / "openapi-v3")
    print("# Facts of the Kubernetes 1.36 API. Generated by tools/generate_api_table.py.")
    for line in (*kind_lines(spec, schemas), *type_lines(schemas, go_types)):
        print(line)


if __name__ == "__main__":
    main()
