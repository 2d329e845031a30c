"""The store: the interface of the job table, in parts."""

from collections.abc import Callable
from datetime import datetime

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
from jobs.store.sqlite.database import Database
from jobs.store.track_record import Accounts, TrackRecords
from jobs.store.witness import Witness


class Store:
    """The job table. Each method of a part is one durable write or one consistent read.

    `now` is the wall clock.
    """

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self.database = database
        self.batches = Batches(database, now)
        self.jobs = Jobs(database, now)
        self.ledger = Ledger(database, now)
        self.links = Links(database, now)
        self.preview = Preview(database, now)
        self.track_records = TrackRecords(database, now)
        self.witness = Witness(database, now)
        self.held = HeldJobs(database, now)
        self.tiles = Tiles(database, now)
        self.facets = Facets(database, now)
        self.actions = Actions(database, now)
        self.decisions = ImageDecisions(database, now)
        self.rerolls = Rerolls(database, now)
        self.overview = Overview(database, now)
        self.accounts = Accounts(database, now)
        self.records = Records(database, now)
        self.selectable = SelectableJobs(database, now)
        self.counts = Counts(database, now)
        self.manifests = Manifests(database, now)
