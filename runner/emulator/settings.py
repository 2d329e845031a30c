"""The emulator's settings, and every choice that the API's documentation leaves open.

Each choice is a field; its default is the documented reading, or else the likeliest one.
"""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from runner.emulator.faults.faults import Fault

Money = Annotated[Decimal, Field(ge=0, allow_inf_nan=False)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]


def _prices() -> dict[str, Decimal]:
    return {
        "": Decimal("0.04"),
        "bytedance/seedream-4-5": Decimal("0.04"),
        "bytedance/seedream-4-0": Decimal("0.03"),
    }


class EmulatorSettings(BaseModel):
    """Immutable and validated; raises pydantic's `ValidationError`, with every wrong field, when built."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    # -- the farm behind the API --
    slots: Annotated[int, Field(ge=1)] = 16
    """Requests worked on at the same time; the others wait in one queue, first come first served."""
    median_seconds: Seconds = 12.0
    """Median of the log-normal service time at speed 1."""
    sigma: Annotated[float, Field(ge=0, le=3)] = 0.4
    """Spread of the service time: the standard deviation of its logarithm."""
    speed: Seconds = 20.0
    """How many times faster than the API: divides service times and the windows of faults.

    It changes neither what outlives a process (`url_seconds`, `request_seconds`: a rehearsal killed today
    is resumed tomorrow) nor Retry-After.
    """
    seed: int = 0
    """Every draw (service time, outcome, number of pictures, chance of a fault) comes from it."""
    failed_share: Share = 0.0
    """Share of the accepted requests whose run fails."""
    moderated_share: Share = 0.0
    """Share of the accepted requests stopped by the provider's content rules after acceptance."""
    lost_answer_share: Share = 0.0
    """Share of the submits that are accepted and whose answer never arrives."""
    short_share: Share = 0.0
    """Share of the sequential requests that give fewer images than requested."""

    # -- money --
    price_usd: dict[str, Money] = Field(default_factory=_prices)
    """US dollars an image, by the beginning of the model_id; the longest match counts."""
    price_unit: str = "output"
    balance_usd: Annotated[Decimal, Field(allow_inf_nan=False)] = Decimal(1000)
    """Balance at the start; it may be zero or negative, as in the official CLI's balance.rs."""
    billed: Literal["requested", "delivered"] = "requested"
    """The 4.0 page says the price follows the number asked for; upstream bills what is delivered."""
    cancelled_cost: Literal["free", "billed"] = "free"
    failed_cost: Literal["free", "billed"] = "billed"
    """Of failed and moderated runs. Unknown; the dearer reading is the safer rehearsal."""

    # -- who may call --
    tokens: frozenset[str] | None = None
    """Bearer tokens accepted; None accepts any that is not empty."""

    accounts: Literal["one", "by_token"] = "one"
    """Whose the requests are: everybody's, or those of the token that sent them; others are told 403001."""

    # -- how long things last, in seconds of the clock --
    url_seconds: Seconds = 86_400.0
    """Lifetime of an image's link; upstream's is 24 h."""
    fresh_links: bool = True
    """A repeated request for the result gives new links; False: `url_seconds` counts from the run's end."""
    expired_link_status: Literal[403, 404, 410] = 403
    request_seconds: Seconds = 604_800.0
    """How long an ended request is known; then 404001. 7 days is documented for Serverless."""

    # -- limits --
    max_submits_per_second: Annotated[int, Field(ge=1)] | None = None
    """Accepted in any second; more are answered 429."""
    queue_limit: Annotated[int, Field(ge=0)] | None = None
    """Waiting at once; more are answered 429."""
    retry_after: Literal["seconds", "date", "none"] = "seconds"
    """How a 429 of these limits says when to come back."""
    retry_after_seconds: Annotated[int, Field(ge=0)] = 1

    # -- how errors look --
    token_status: Literal[400, 401, 403] = 400
    """HTTP status beside error_code 400004."""
    balance_status: Literal[400, 402] = 400
    """HTTP status beside error_code 400002."""
    schema_status: Literal[400, 422] = 422
    """HTTP status of a body that does not fit the model's schema; the official CLI expects both."""
    schema_error_code: int = 422001
    """Documented for Serverless only, with a `detail` list."""
    errors_on_200: bool = False
    """Errors come with HTTP 200 and the error body alone."""
    error_shape: Literal["string", "object", "none"] = "string"
    """`error` in the result of a failed run."""

    # -- words and shapes --
    submit_status: Literal[200, 202] = 200
    """202 also adds `"status": "in_queue"`, as integrations' test doubles do."""
    failed_in_status: bool = False
    """True: the status endpoint says `failed`; False: it says `completed`, and only the result says it."""
    success_word: Literal["succeeded", "completed"] = "succeeded"
    cancel_word: Literal["cancelled", "completed"] = "completed"
    """`status` beside outcome `cancelled`; the documentation's example says `completed`."""
    single_picture_as: Literal["image", "images"] = "image"
    """The key of a single picture; several are always `images`."""
    unfinished_result: Literal["state", "error"] = "state"
    """The result of a request that has not ended: its state, or error 400005 with HTTP 400."""
    timestamps: Literal["iso", "epoch", "none"] = "iso"
    """`created_at` and `finished_at` of a result."""
    echo_inputs: bool = False
    """The result repeats the inputs beside the output, as third parties report."""
    bad_values: Literal["refused", "failed"] = "refused"
    """A body that does not fit the model's schema: refused at once, or accepted, and a run that fails. The
    latter was measured once, for an impossible value of another model."""
    unknown_keys: Literal["ignored", "refused"] = "ignored"
    """Keys that the model's schema does not have."""
    data_uris: Literal["refused", "accepted"] = "accepted"
    """Images inside the body: another client of the API does that; unproven for Seedream 4.x."""

    # -- pictures --
    picture_format: Literal["jpeg", "png"] = "jpeg"
    picture_quality: Annotated[int, Field(ge=1, le=95)] = 85
    picture_scale: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Draws images smaller than requested: 1/16 makes 128x128 of 2048x2048."""

    faults: tuple[Fault, ...] = ()
    """Armed from the start; `EmulatorService.faults` replaces them at run time."""

    def price(self, model_id: str) -> Decimal:
        """US dollars an image of `model_id`; zero without a match."""
        fitting = [start for start in self.price_usd if model_id.startswith(start)]
        return self.price_usd[max(fitting, key=len)] if fitting else Decimal(0)
