"""The ledger: every submit that was or may have been accepted, its images and its cost."""

from collections.abc import Mapping
from decimal import Decimal

from sqlalchemy import Connection, and_, case, func, literal, select, update

from jobs.attempts import IN_DOUBT, PAID_OR_MAYBE, SubmitOutcome
from jobs.ledger import ModelCost
from jobs.states import JobState
from jobs.store.bulk import counts
from jobs.store.moves import images
from jobs.store.part import StorePart, reads, writes
from jobs.store.rows import NEWEST, raw_answer_of, view_of
from jobs.store.schema import ARTIFACT, ATTEMPT, ATTEMPT_TALLY, BATCH, JOB
from jobs.views import Account, ArtifactView, AttemptView, UnconfirmedJob
from jobs.workload import Amount, Workload

_UNPRICED = (
    ATTEMPT.c.outcome.in_(sorted(PAID_OR_MAYBE)),
    ATTEMPT.c.estimate_usd.is_(None),
    ATTEMPT.c.cost_usd.is_(None),
)


class Ledger(StorePart):
    """Attempts, their images and their cost."""

    @writes
    def record_image(self, connection: Connection, job_id: int, attempt_id: int, image: ArtifactView) -> None:
        """Record an image that is on disk under its final name. A record of the same number is replaced."""
        images.record(connection, job_id, attempt_id, image)

    @writes
    def move_images(self, connection: Connection, places: Mapping[int, str]) -> None:
        """Record where images are now, by their ids, as the table keeps paths."""
        for artifact_id, path in places.items():
            connection.execute(update(ARTIFACT).where(ARTIFACT.c.id == artifact_id).values(path=path))

    @writes
    def warn(self, connection: Connection, job_id: int, warning: str) -> None:
        """Add a warning about its images to a job that has succeeded, and to those that share them."""
        shares = (JOB.c.id == job_id) | (JOB.c.same_as == job_id)
        found = connection.execute(
            select(JOB.c.id, JOB.c.warnings).where(shares, JOB.c.state == JobState.SUCCEEDED)
        )
        for one, warnings in found.all():
            if warning not in warnings:
                added = update(JOB).where(JOB.c.id == one).values(warnings=[*warnings, warning])
                connection.execute(added)

    @reads
    def images_of(self, connection: Connection, attempt_id: int) -> dict[int, ArtifactView]:
        """The images of an attempt that are recorded so far, by number."""
        return images.images_of(connection, attempt_id)

    @reads
    def attempts(self, connection: Connection, batch_id: int, job_id: int | None = None) -> list[AttemptView]:
        """Every attempt of the batch, or of one job of it, oldest first."""
        of_job = () if job_id is None else (ATTEMPT.c.job_id == job_id,)
        found = connection.execute(
            select(ATTEMPT, JOB.c.key, JOB.c.row, JOB.c.state, JOB.c.authorised)
            .join(JOB, JOB.c.id == ATTEMPT.c.job_id)
            .where(JOB.c.batch_id == batch_id, *of_job)
            .order_by(ATTEMPT.c.id)
        )
        return [
            view_of(
                AttemptView,
                row,
                outcome=SubmitOutcome(row.outcome),
                state=JobState(row.state),
                answer=raw_answer_of(row),
            )
            for row in found
        ]

    @reads
    def holder_of(self, connection: Connection, request_id: str) -> tuple[int, str] | None:
        """The id and the key of the job that has this request_id; None if no job has it."""
        found = connection.execute(
            select(JOB.c.id, JOB.c.key)
            .join(ATTEMPT, ATTEMPT.c.job_id == JOB.c.id)
            .where(ATTEMPT.c.request_id == request_id)
        )
        row = found.one_or_none()
        return None if row is None else (row.id, row.key)

    @reads
    def account(self, connection: Connection, batch_id: int) -> Account:
        """The cost of the batch so far, including jobs that are removed from the sheet."""
        return counts.account(connection, batch_id)

    @reads
    def unconfirmed_usd(self, connection: Connection, batch_id: int) -> Decimal:
        """The most that unconfirmed submits may have cost, in USD, even if a person decided about them."""
        return counts.in_doubt_usd(connection, batch_id)

    @reads
    def by_model(self, connection: Connection, batch_id: int) -> list[ModelCost]:
        """What each model has cost, the dearest first."""
        estimate = ATTEMPT.c.estimate_usd
        told_nothing = and_(ATTEMPT.c.outcome == SubmitOutcome.ACCEPTED, ATTEMPT.c.cost_usd.is_(None))
        in_doubt = ATTEMPT.c.outcome.in_(sorted(IN_DOUBT))
        of_batch = (ATTEMPT.join(JOB, JOB.c.id == ATTEMPT.c.job_id), JOB.c.batch_id == batch_id)
        costs = connection.execute(
            select(
                *(JOB.c.model, func.count(), func.sum(ATTEMPT.c.cost_usd)),
                *(func.sum(case((told_nothing, estimate))), func.sum(case((in_doubt, estimate)))),
            )
            .select_from(of_batch[0])
            .where(of_batch[1], ATTEMPT.c.outcome.in_(sorted(PAID_OR_MAYBE)))
            .group_by(JOB.c.model)
        )
        counted = connection.execute(
            select(JOB.c.model, func.count())
            .select_from(of_batch[0].join(ARTIFACT, ARTIFACT.c.attempt_id == ATTEMPT.c.id))
            .where(of_batch[1])
            .group_by(JOB.c.model)
        )
        made = {str(model): int(many) for model, many in counted}
        found = [
            ModelCost(model, many, made.get(model, 0), *(usd or Decimal(0) for usd in sums))
            for model, many, *sums in costs
        ]
        return sorted(found, key=lambda one: (-one.reported_usd - one.estimated_usd, one.model))

    @reads
    def unpriced(self, connection: Connection, batch_id: int) -> Workload:
        """By model, the submits that were or may have been accepted, and whose price nobody knows."""
        if not counts.unpriced(connection, batch_id):
            return Workload()  # most tables: nobody looks through the ledger
        found = connection.execute(
            select(JOB.c.model, func.count(), func.sum(JOB.c.pictures))
            .select_from(ATTEMPT)
            .join(JOB, JOB.c.id == ATTEMPT.c.job_id)
            .where(JOB.c.batch_id == batch_id, *_UNPRICED)
            .group_by(JOB.c.model)
        )
        return Workload({str(model): Amount(int(many), int(images)) for model, many, images in found})

    @reads
    def unpriced_beside(self, connection: Connection, batch_id: int) -> list[int]:
        """The other batches of its account with submits whose price nobody knows."""
        its_account = select(BATCH.c.account_id).where(BATCH.c.id == batch_id).scalar_subquery()
        others = select(BATCH.c.id).where(BATCH.c.account_id == its_account, BATCH.c.id != batch_id)
        found = connection.execute(
            select(ATTEMPT_TALLY.c.batch_id)
            .where(ATTEMPT_TALLY.c.batch_id.in_(others), ATTEMPT_TALLY.c.outcome.in_(sorted(PAID_OR_MAYBE)))
            .group_by(ATTEMPT_TALLY.c.batch_id)
            .having(func.sum(ATTEMPT_TALLY.c.unpriced) > 0)
            .order_by(ATTEMPT_TALLY.c.batch_id)
        )
        return [int(other) for other in found.scalars()]

    @writes
    def reckon(self, connection: Connection, batch_id: int, prices: Mapping[str, Decimal]) -> None:
        """Estimate submits that were sent without a known price. `prices` are USD an image, by model."""
        for model, price in prices.items():
            of_model = select(JOB.c.id).where(JOB.c.batch_id == batch_id, JOB.c.model == model)
            pictures = select(JOB.c.pictures).where(JOB.c.id == ATTEMPT.c.job_id).scalar_subquery()
            connection.execute(
                update(ATTEMPT)
                .where(ATTEMPT.c.job_id.in_(of_model), *_UNPRICED)
                .values(estimate_usd=pictures * literal(price, ATTEMPT.c.estimate_usd.type))
            )

    @reads
    def naming_ids(self, connection: Connection, batch_id: int) -> list[UnconfirmedJob]:
        """Unconfirmed jobs whose answer named an id, oldest first."""
        found = connection.execute(
            select(JOB.c.id, JOB.c.key, JOB.c.model, ATTEMPT.c.uid, ATTEMPT.c.named_id)
            .join(ATTEMPT, NEWEST)
            .where(
                JOB.c.batch_id == batch_id,
                JOB.c.state == JobState.UNCONFIRMED,
                ATTEMPT.c.named_id.is_not(None),
            )
            .order_by(JOB.c.id)
        )
        return [UnconfirmedJob(*row) for row in found]

    @reads
    def automatic_resubmits(self, connection: Connection, batch_id: int) -> int:
        """How many unconfirmed submits a setting has repeated so far."""
        found = connection.execute(
            select(func.count())
            .select_from(ATTEMPT)
            .join(JOB, JOB.c.id == ATTEMPT.c.job_id)
            .where(
                JOB.c.batch_id == batch_id,
                ATTEMPT.c.outcome == SubmitOutcome.RESUBMITTED,
                ATTEMPT.c.automatic,
            )
        )
        return int(found.scalar_one())
