"""The store: the interface of the job table, in parts."""

from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from jobs.states import JobState
from jobs.store.sql.transactions import Database

if TYPE_CHECKING:
    from jobs.store.accounts.accounts import Accounts
    from jobs.store.batches import Batches
    from jobs.store.bulk.counts import Counts
    from jobs.store.bulk.manifests import Manifests
    from jobs.store.bulk.records import Records
    from jobs.store.bulk.selectable import SelectableJobs
    from jobs.store.intake.held import HeldJobs
    from jobs.store.jobs import Jobs
    from jobs.store.ledger import Ledger
    from jobs.store.links import Links
    from jobs.store.overview import Overview
    from jobs.store.page.actions import Actions
    from jobs.store.page.decisions import ImageDecisions
    from jobs.store.page.facets import Facets
    from jobs.store.page.rerolls import Rerolls
    from jobs.store.page.tiles import Tiles
    from jobs.store.preview import Preview
    from jobs.store.runners.members import Members
    from jobs.store.track_record import TrackRecords
    from jobs.store.witness import Witness
    from jobs.views import OpenJob


class Store:
    """The job table. Each method of a part is one durable write or one consistent read.

    `now` is the wall clock. A part is imported when it is first asked for: most commands need a few.
    """

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self.database = database
        self._now = now

    @cached_property
    def batches(self) -> "Batches":
        """The batches, and the runs over them."""
        from jobs.store.batches import Batches

        return Batches(self.database, self._now)

    @cached_property
    def jobs(self) -> "Jobs":
        """Their jobs, and the moves of these."""
        from jobs.store.jobs import Jobs

        return Jobs(self.database, self._now)

    @cached_property
    def ledger(self) -> "Ledger":
        """What was paid for, or may have been."""
        from jobs.store.ledger import Ledger

        return Ledger(self.database, self._now)

    @cached_property
    def links(self) -> "Links":
        """Jobs that wait for the result of an identical one."""
        from jobs.store.links import Links

        return Links(self.database, self._now)

    @cached_property
    def preview(self) -> "Preview":
        """What a run would do, before anything is paid."""
        from jobs.store.preview import Preview

        return Preview(self.database, self._now)

    @cached_property
    def track_records(self) -> "TrackRecords":
        """How earlier runs went."""
        from jobs.store.track_record import TrackRecords

        return TrackRecords(self.database, self._now)

    @cached_property
    def witness(self) -> "Witness":
        """The table held against the journal."""
        from jobs.store.witness import Witness

        return Witness(self.database, self._now)

    @cached_property
    def held(self) -> "HeldJobs":
        """Rows that were paid for elsewhere."""
        from jobs.store.intake.held import HeldJobs

        return HeldJobs(self.database, self._now)

    @cached_property
    def tiles(self) -> "Tiles":
        """A batch as the page shows it."""
        from jobs.store.page.tiles import Tiles

        return Tiles(self.database, self._now)

    @cached_property
    def facets(self) -> "Facets":
        """The values to filter tiles by."""
        from jobs.store.page.facets import Facets

        return Facets(self.database, self._now)

    @cached_property
    def actions(self) -> "Actions":
        """What was done on the page."""
        from jobs.store.page.actions import Actions

        return Actions(self.database, self._now)

    @cached_property
    def decisions(self) -> "ImageDecisions":
        """What a person decided about images."""
        from jobs.store.page.decisions import ImageDecisions

        return ImageDecisions(self.database, self._now)

    @cached_property
    def rerolls(self) -> "Rerolls":
        """What is marked to be made again."""
        from jobs.store.page.rerolls import Rerolls

        return Rerolls(self.database, self._now)

    @cached_property
    def overview(self) -> "Overview":
        """How batches stand."""
        from jobs.store.overview import Overview

        return Overview(self.database, self._now)

    @cached_property
    def accounts(self) -> "Accounts":
        """The accounts, their limits, and what runs found out of them."""
        from jobs.store.accounts.accounts import Accounts

        return Accounts(self.database, self._now)

    @cached_property
    def records(self) -> "Records":
        """Jobs as their manifests tell them."""
        from jobs.store.bulk.records import Records

        return Records(self.database, self._now)

    @cached_property
    def selectable(self) -> "SelectableJobs":
        """The queued jobs to select from."""
        from jobs.store.bulk.selectable import SelectableJobs

        return SelectableJobs(self.database, self._now)

    @cached_property
    def counts(self) -> "Counts":
        """The kept counts, held against the rows."""
        from jobs.store.bulk.counts import Counts

        return Counts(self.database, self._now)

    @cached_property
    def manifests(self) -> "Manifests":
        """What the last run's manifests are made of."""
        from jobs.store.bulk.manifests import Manifests

        return Manifests(self.database, self._now)

    @cached_property
    def runners(self) -> "Members":
        """The runners that work on the table, where it is on a server."""
        from jobs.store.runners.members import Members

        return Members(self.database, self._now)

    async def jobs_to_do(self, batch_id: int, state: JobState) -> "list[OpenJob]":
        """The jobs in `state` (running or fetching) that this process polls or fetches, oldest first."""
        part = self.jobs if self.database.runner_id is None else self.runners
        return await part.open_jobs(batch_id, state)
