"""What a platform lets one submit: its quotas in words, and more slides than a run may have as several runs."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from launchpad.application.draft import SubmissionDraft
from launchpad.application.submit import submit
from launchpad.errors import LaunchpadError

if TYPE_CHECKING:
    from launchpad.bucket.base import Bucket
    from launchpad.platform.client import Client
    from launchpad.platform.models import VersionReadResponse
    from launchpad.platform.quota import Quota

_WORDS = {
    "slides_per_month_user": "{used} of your {limit} slides this month are used",
    "slides_per_month_organization": "{used} of your organization's {limit} slides this month are used",
    "parallel_runs": "{used} of your runs are under way, {limit} may be at once",
}


@dataclass(frozen=True)
class Allowance:
    """What is known of the limits; no quotas where the platform does not tell, `items_per_run` None without a limit."""

    quotas: tuple[Quota, ...] = ()
    items_per_run: int | None = None

    def runs(self, slides: int) -> int:
        """How many runs so many slides become."""
        return max(1, -(-slides // self.items_per_run)) if self.items_per_run else 1

    def lines(self) -> list[str]:
        """The limits with their use, a sentence each; empty where there are none, or none are known."""
        return [_words(quota) for quota in self.quotas if quota.limit is not None and quota.quota in _WORDS]

    def split_words(self, draft: SubmissionDraft) -> str:
        """That the slides are sent as several runs, "" when one run holds them."""
        slides = len(draft.included())
        runs = self.runs(slides)
        if runs == 1:
            return ""
        return (
            f"{slides} slides are sent as {runs} runs with the tag “{common_tag(draft)}”: "
            f"a run has at most {self.items_per_run} slides on this platform."
        )

    def problem(self, slides: int) -> str:
        """Which quota so many slides would exceed, "" when none does, as far as is known."""
        for quota in self.quotas:
            asked = self.runs(slides) if quota.quota == "parallel_runs" else slides
            if quota.limit is not None and quota.quota in _WORDS and quota.used + asked > quota.limit:
                what = "run(s)" if quota.quota == "parallel_runs" else "slide(s)"
                return f"{asked} more {what} are too many: {_words(quota)}"
        return ""

    def require(self, slides: int) -> None:
        """See that so many slides may be submitted, as far as is known.

        Raises:
            LaunchpadError: names the quota, its use and when it is renewed.
        """
        if words := self.problem(slides):
            raise LaunchpadError(
                "The platform's quota does not suffice",
                detail=words,
                advice="Submit fewer slides, wait until it is renewed, or ask those who run the platform.",
            )


def load_allowance(client: Client) -> Allowance:
    """Ask the platform; what it does not tell comes from its profile.

    Raises:
        Unreachable, ApiException: as every request.
    """
    from launchpad.platform.quota import ITEMS_PER_RUN

    report = client.quota()
    told = report.get(ITEMS_PER_RUN) if report is not None else None
    limits = [limit for limit in (client.profile.items_per_run, told.limit if told else None) if limit]
    return Allowance(report.quotas if report is not None else (), min(limits, default=None))


def common_tag(draft: SubmissionDraft) -> str:
    """The tag of all runs that a draft becomes."""
    return f"batch-{hashlib.sha256(draft.submission_id.encode()).hexdigest()[:8]}"


def split(draft: SubmissionDraft, items_per_run: int | None) -> list[SubmissionDraft]:
    """A draft as drafts of at most so many slides with a common tag, in their order; the draft itself when it fits.

    The same slides become the same parts with the same submission ids, so that a part is found that was sent already.
    """
    slides = draft.included()
    if not items_per_run or len(slides) <= items_per_run:
        return [draft]
    tags = [*draft.tags, common_tag(draft)]
    parts = []
    for start in range(0, len(slides), items_per_run):
        own = slides[start : start + items_per_run]
        names = "\n".join(slide.external_id for slide in own)
        number = uuid.uuid5(uuid.NAMESPACE_OID, f"{draft.submission_id}\n{names}")
        parts.append(replace(draft, slides=own, tags=tags, submission_id=str(number)))
    return parts


def submit_all(
    draft: SubmissionDraft,
    *,
    client: Client,
    bucket: Bucket,
    version: VersionReadResponse,
    items_per_run: int | None = None,
    interface: Literal["script", "cli", "launchpad"] = "script",
    pipeline: Mapping[str, Any] | None = None,
    onboard: bool = False,
    custom_metadata: Mapping[str, Any] | None = None,
) -> list[str]:
    """Post the run of a draft, or the runs where it has more slides than one may have; their ids in this order.

    Parts that were posted before (by a call that was interrupted) are not posted again.

    Raises:
        As `submit`; what was posted before the error is named in its detail.
    """
    parts = split(draft, items_per_run)
    done: list[str] = []
    for part in parts:
        try:
            # It looks for itself whether an earlier call posted this part already.
            done.append(
                submit(
                    part,
                    client=client,
                    bucket=bucket,
                    version=version,
                    interface=interface,
                    pipeline=pipeline,
                    onboard=onboard,
                    custom_metadata=custom_metadata,
                )
            )
        except LaunchpadError as error:
            if done:
                error.detail = f"{error.detail} {_already(done, len(parts))}".strip()
            raise
    return done


def _already(run_ids: Sequence[str], parts: int) -> str:
    return f"{len(run_ids)} of {parts} runs were submitted before: {', '.join(run_ids)}."


def _words(quota: Quota) -> str:
    words = _WORDS[quota.quota].format(used=quota.used, limit=quota.limit)
    if quota.renews_at is not None:
        words += f"; it is renewed on {quota.renews_at.astimezone():%Y-%m-%d}"
    return f"{words}."
