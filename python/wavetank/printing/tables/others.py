"""Tables of what the control plane keeps for itself: admission, leases, flows, devices."""

from __future__ import annotations

from wavetank.printing.ages import human, since
from wavetank.printing.layout import Object, layout
from wavetank.printing.objects import condition, dig, labels, name
from wavetank.printing.tables.common import age
from wavetank.printing.tables.core import created_at, plain
from wavetank.printing.text import at_most


@layout("Name", "Webhooks", "Age")
def webhooks(item: Object, now_ns: int) -> tuple[object, ...]:
    """Return the cells of a webhook configuration."""
    return name(item), len(item.get("webhooks") or ()), age(item, now_ns)


def _parameters(item: Object) -> str:
    kind = dig(item, "spec", "paramKind")
    return "<unset>" if kind is None else f"{kind.get('apiVersion')}/{kind.get('kind')}"


@layout("Name", "Validations", "ParamKind", "Age")
def validating_policies(item: Object, now_ns: int) -> tuple[object, ...]:
    """Return the cells of a validating admission policy."""
    rules = dig(item, "spec", "validations", default=())
    return name(item), len(rules), _parameters(item), age(item, now_ns)


@layout("Name", "Mutations", "ParamKind", "Age")
def mutating_policies(item: Object, now_ns: int) -> tuple[object, ...]:
    """Return the cells of a mutating admission policy."""
    rules = dig(item, "spec", "mutations", default=())
    return name(item), len(rules), _parameters(item), age(item, now_ns)


@layout("Name", "PolicyName", "ParamRef", "Age")
def policy_bindings(item: Object, now_ns: int) -> tuple[object, ...]:
    """Return the cells of the binding of an admission policy."""
    reference = dig(item, "spec", "paramRef")
    text = "<unset>"
    if reference is not None and reference.get("name"):
        text = f"{reference.get('namespace') or '*'}/{reference['name']}"
    elif reference is not None and reference.get("selector") is not None:
        text = _go_selector(reference["selector"])
    return name(item), dig(item, "spec", "policyName", default=""), text, age(item, now_ns)


def _go_selector(selector: Object) -> str:
    """Return a label selector as Go prints the struct."""
    pairs = sorted((selector.get("matchLabels") or {}).items())
    matched = "".join(f"{key}: {value}," for key, value in pairs)
    expressions = "".join(
        f"LabelSelectorRequirement{{Key:{one.get('key')},Operator:{one.get('operator')},"
        f"Values:[{' '.join(one.get('values') or ())}],}},"
        for one in selector.get("matchExpressions") or ()
    )
    return (
        f"&LabelSelector{{MatchLabels:map[string]string{{{matched}}},"
        f"MatchExpressions:[]LabelSelectorRequirement{{{expressions}}},}}"
    )


@layout("Name", "Age", "SignerName", "Requestor", "RequestedDuration", "Condition")
def signing_requests(item: Object, now_ns: int) -> tuple[object, ...]:
    """Return the cells of a certificate signing request."""
    spec = dig(item, "spec", default={})
    seconds = spec.get("expirationSeconds")
    return (
        name(item),
        age(item, now_ns),
        spec.get("signerName") or "<none>",
        spec.get("username", ""),
        "<none>" if seconds is None else human(seconds * 1_000_000_000),
        _signing_status(item),
    )


def _signing_status(item: Object) -> str:
    kinds = {found.get("type") for found in dig(item, "status", "conditions", default=())}
    word = "Denied" if "Denied" in kinds else "Approved" if "Approved" in kinds else "Pending"
    failed = ",Failed" if "Failed" in kinds else ""
    return f"{word}{failed}{',Issued' if dig(item, 'status', 'certificate') else ''}"


@layout("Name", "SignerName")
def trust_bundles(item: Object, _: int) -> tuple[object, ...]:
    """Return the cells of a cluster trust bundle."""
    return name(item), dig(item, "spec", "signerName") or "<none>"


@layout(
    "Name",
    "PodName",
    "ServiceAccountName",
    "NodeName",
    "SignerName",
    "State",
    "UnverifiedUserAnnotations",
)
def pod_certificates(item: Object, _: int) -> tuple[object, ...]:
    """Return the cells of a pod certificate request."""
    spec = dig(item, "spec", default={})
    fields = ("podName", "serviceAccountName", "nodeName", "signerName")
    kinds = [found.get("type") for found in dig(item, "status", "conditions", default=())]
    states = [kind for kind in kinds if kind in ("Issued", "Denied", "Failed")]
    return (
        name(item),
        *(spec.get(field, "") for field in fields),
        states[-1] if states else "Pending",
        labels(spec.get("unverifiedUserAnnotations")),
    )


@layout("Name", "Holder", "Age")
def leases(item: Object, now_ns: int) -> tuple[object, ...]:
    """Return the cells of a lease."""
    return name(item), dig(item, "spec", "holderIdentity", default=""), age(item, now_ns)


@layout("Name", "LeaseName", "BinaryVersion", "EmulationVersion", "Age")
def lease_candidates(item: Object, now_ns: int) -> tuple[object, ...]:
    """Return the cells of a lease candidate."""
    fields = ("leaseName", "binaryVersion", "emulationVersion")
    return name(item), *(dig(item, "spec", one, default="") for one in fields), age(item, now_ns)


def _precedence(item: Object) -> tuple[int, str]:
    return dig(item, "spec", "matchingPrecedence", default=0), name(item)


@layout(
    "Name",
    "PriorityLevel",
    "MatchingPrecedence",
    "DistinguisherMethod",
    "Age",
    "MissingPL",
    order=_precedence,
)
def flow_schemas(item: Object, now_ns: int) -> tuple[object, ...]:
    """Return the cells of a flow schema."""
    return (
        name(item),
        dig(item, "spec", "priorityLevelConfiguration", "name", default=""),
        dig(item, "spec", "matchingPrecedence", default=0),
        dig(item, "spec", "distinguisherMethod", "type", default="<none>"),
        age(item, now_ns),
        condition(item, "Dangling").get("status", "?"),
    )


@layout("Name", "Type", "NominalConcurrencyShares", "Queues", "HandSize", "QueueLengthLimit", "Age")
def priority_levels(item: Object, now_ns: int) -> tuple[object, ...]:
    """Return the cells of a priority level."""
    limited = dig(item, "spec", "limited")
    queuing = dig(limited, "limitResponse", "queuing")
    fields = ("queues", "handSize", "queueLengthLimit")
    return (
        name(item),
        dig(item, "spec", "type", default=""),
        "<none>" if limited is None else limited.get("nominalConcurrencyShares", 0),
        *("<none>" if queuing is None else queuing.get(field, 0) for field in fields),
        age(item, now_ns),
    )


@layout("Name", "CommonEncodingVersion", "StorageVersions", "Age")
def storage_versions(item: Object, now_ns: int) -> tuple[object, ...]:
    """Return the cells of a storage version."""
    versions = [
        f"{version.get('apiServerID')}={version.get('encodingVersion')}"
        for version in dig(item, "status", "storageVersions", default=())
    ]
    common = dig(item, "status", "commonEncodingVersion", default="<unset>")
    return name(item), common, at_most(versions, 3) or "<unset>", age(item, now_ns)


@layout("Name", "Resource", "Status", named=None)
def migrations(item: Object, _: int) -> tuple[object, ...]:
    """Return the cells of a storage version migration."""
    target = dig(item, "spec", "resource", default={})
    group = f".{target['group']}" if target.get("group") else ""
    true = [
        found.get("type")
        for found in dig(item, "status", "conditions", default=())
        if found.get("status") == "True" and found.get("type") in ("Running", "Failed", "Succeeded")
    ]
    return name(item), f"{target.get('resource', '')}{group}", true[-1] if true else "Unknown"


@layout("Name", "State", "Age")
def resource_claims(item: Object, now_ns: int) -> tuple[object, ...]:
    """Return the cells of a resource claim."""
    deleted = dig(item, "metadata", "deletionTimestamp") is not None
    states = ["deleted"] if deleted else []
    if dig(item, "status", "allocation") is not None:
        states.append("allocated")
        states += ["reserved"] if dig(item, "status", "reservedFor") else []
    elif not deleted:
        states.append("pending")
    return name(item), ",".join(states), age(item, now_ns)


@layout("Name", "Node", "Driver", "Pool", "Age")
def resource_slices(item: Object, now_ns: int) -> tuple[object, ...]:
    """Return the cells of a resource slice."""
    return (
        name(item),
        dig(item, "spec", "nodeName", default=""),
        dig(item, "spec", "driver", default=""),
        dig(item, "spec", "pool", "name", default=""),
        age(item, now_ns),
    )


@layout("Name", "Key", "Value", "Effect", "TimeAdded", "Age")
def device_taints(item: Object, now_ns: int) -> tuple[object, ...]:
    """Return the cells of a device taint rule."""
    taint = dig(item, "spec", "taint", default={})
    added = taint.get("timeAdded")
    return (
        name(item),
        *(taint.get(field, "") for field in ("key", "value", "effect")),
        since(added, now_ns) if added else "",
        age(item, now_ns),
    )


@layout("Name", "Service", "Available", "Age")
def api_services(item: Object, now_ns: int) -> tuple[object, ...]:
    """Return the cells of an API service."""
    service = dig(item, "spec", "service")
    available = condition(item, "Available")
    status = available.get("status", "Unknown")
    if status != "True" and available.get("reason"):
        status = f"{status} ({available['reason']})"
    text = "Local" if service is None else f"{service.get('namespace')}/{service.get('name')}"
    return name(item), text, status, age(item, now_ns)


ADMISSION = {
    "MutatingAdmissionPolicy": mutating_policies,
    "MutatingAdmissionPolicyBinding": policy_bindings,
    "MutatingWebhookConfiguration": webhooks,
    "ValidatingAdmissionPolicy": validating_policies,
    "ValidatingAdmissionPolicyBinding": policy_bindings,
    "ValidatingWebhookConfiguration": webhooks,
}
CERTIFICATES = {
    "CertificateSigningRequest": signing_requests,
    "ClusterTrustBundle": trust_bundles,
    "PodCertificateRequest": pod_certificates,
}
COORDINATION = {"Lease": leases, "LeaseCandidate": lease_candidates}
FLOWS = {"FlowSchema": flow_schemas, "PriorityLevelConfiguration": priority_levels}
DEVICES = {
    "DeviceClass": plain,
    "DeviceTaintRule": device_taints,
    "ResourceClaim": resource_claims,
    "ResourceClaimTemplate": plain,
    "ResourceSlice": resource_slices,
}
EXTENSIONS = {"CustomResourceDefinition": created_at}
REGISTRATION = {"APIService": api_services}
STORAGE_VERSIONS = {"StorageVersion": storage_versions}
MIGRATIONS = {"StorageVersionMigration": migrations}
