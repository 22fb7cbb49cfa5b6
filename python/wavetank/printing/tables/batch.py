"""Tables of the group ``batch``."""

from __future__ import annotations

from wavetank.printing.ages import between, since
from wavetank.printing.layout import Object, layout
from wavetank.printing.objects import dig, is_true, name, selector
from wavetank.printing.tables.common import age, containers, images


@layout("Name", "Status", "Completions", "Duration", "Age", "Containers*", "Images*", "Selector*")
def jobs(item: Object, now_ns: int) -> tuple[object, ...]:
    """Return the cells of a job."""
    return (
        name(item),
        job_status(item),
        _completions(item),
        _duration(item, now_ns),
        age(item, now_ns),
        containers(item, "spec", "template"),
        images(item, "spec", "template"),
        selector(dig(item, "spec", "selector")),
    )


def job_status(item: Object) -> str:
    """Return the state a job's conditions tell of."""
    for condition in ("Complete", "Failed"):
        if is_true(item, condition):
            return condition
    if dig(item, "metadata", "deletionTimestamp") is not None:
        return "Terminating"
    for condition in ("Suspended", "FailureTarget", "SuccessCriteriaMet"):
        if is_true(item, condition):
            return condition
    return "Running"


def _completions(item: Object) -> str:
    succeeded = dig(item, "status", "succeeded", default=0)
    wanted = dig(item, "spec", "completions")
    if wanted is not None:
        return f"{succeeded}/{wanted}"
    parallelism = dig(item, "spec", "parallelism", default=0)
    return f"{succeeded}/1 of {parallelism}" if parallelism > 1 else f"{succeeded}/1"


def _duration(item: Object, now_ns: int) -> str:
    started = dig(item, "status", "startTime")
    completed = dig(item, "status", "completionTime")
    if started is None:
        return ""
    return since(started, now_ns) if completed is None else between(started, completed)


@layout(
    "Name",
    "Schedule",
    "Timezone",
    "Suspend",
    "Active",
    "Last Schedule",
    "Age",
    "Containers*",
    "Images*",
    "Selector*",
)
def cron_jobs(item: Object, now_ns: int) -> tuple[object, ...]:
    """Return the cells of a cron job."""
    last = dig(item, "status", "lastScheduleTime")
    suspend = dig(item, "spec", "suspend")
    return (
        name(item),
        dig(item, "spec", "schedule", default=""),
        dig(item, "spec", "timeZone", default="<none>"),
        "<unset>" if suspend is None else str(suspend),
        len(dig(item, "status", "active", default=())),
        "<none>" if last is None else since(last, now_ns),
        age(item, now_ns),
        containers(item, "spec", "jobTemplate", "spec", "template"),
        images(item, "spec", "jobTemplate", "spec", "template"),
        selector(dig(item, "spec", "jobTemplate", "spec", "selector")),
    )


TABLES = {"CronJob": cron_jobs, "Job": jobs}
