"""A signed-in user's limits on a platform, and what is used of them. Not of the contract: a platform may not tell."""

from __future__ import annotations

from datetime import datetime

from launchpad.platform.models import Model

SLIDES_USER, SLIDES_ORGANIZATION = "slides_per_month_user", "slides_per_month_organization"
PARALLEL_RUNS, ITEMS_PER_RUN = "parallel_runs", "items_per_run"


class Quota(Model):
    """One limit; `limit` None is without one, `renews_at` None is never by itself."""

    quota: str
    used: int = 0
    limit: int | None = None
    renews_at: datetime | None = None


class QuotaReport(Model):
    """All limits of a user."""

    user_id: str
    organization_id: str | None = None
    quotas: tuple[Quota, ...] = ()

    def get(self, name: str) -> Quota | None:
        """One of them by its name, None where the platform does not tell."""
        return next((quota for quota in self.quotas if quota.quota == name), None)
