"""What is done about one try to download an image: the whole table."""

import pytest

from runner.downloads.disk import DiskTrouble
from runner.downloads.download import DownloadResult
from runner.downloads.validate import Broken
from runner.http.image_client import DownloadFailed, LinkGone
from runner.http.url_policy import Blocked
from runner.workers.fetch import BROKEN_TRIES, SERVER_TRIES, RetryDecision, retry_decision

TAKE, AGAIN = RetryDecision.TAKE, RetryDecision.AGAIN
NEW_LINK, COMPARE = RetryDecision.NEW_LINK, RetryDecision.COMPARE
SILENT, REFUSED = DownloadFailed("silence"), DownloadFailed("it answered 503", 503)
ODD = DownloadFailed("it answered 304", 304)


@pytest.mark.parametrize(
    ("got", "tries", "first_link", "new_link"),
    [
        (Broken("cut off"), 1, AGAIN, AGAIN),
        (Broken("cut off"), BROKEN_TRIES - 1, AGAIN, AGAIN),
        (Broken("cut off"), BROKEN_TRIES, TAKE, TAKE),
        (LinkGone(404), 1, TAKE, AGAIN),
        (LinkGone(404), BROKEN_TRIES - 1, TAKE, AGAIN),
        (LinkGone(404), BROKEN_TRIES, TAKE, TAKE),
        (SILENT, SERVER_TRIES - 1, AGAIN, AGAIN),
        (SILENT, SERVER_TRIES, COMPARE, COMPARE),
        (SILENT, SERVER_TRIES + 9, COMPARE, COMPARE),
        (REFUSED, SERVER_TRIES - 1, AGAIN, AGAIN),
        (REFUSED, SERVER_TRIES, NEW_LINK, COMPARE),
        (REFUSED, SERVER_TRIES + 9, NEW_LINK, COMPARE),
        (ODD, SERVER_TRIES - 1, AGAIN, AGAIN),
        (ODD, SERVER_TRIES, NEW_LINK, TAKE),
        (LinkGone(401), 1, TAKE, AGAIN),
        (Blocked("not a host of the API"), 1, TAKE, TAKE),
        (DiskTrouble("full"), 1, TAKE, TAKE),
    ],
)
def test_each_result_after_each_number_of_tries(
    got: DownloadResult, tries: int, first_link: RetryDecision, new_link: RetryDecision
) -> None:
    """Before and after the link was asked for again."""
    assert retry_decision(got, tries, refreshed=False) is first_link
    assert retry_decision(got, tries, refreshed=True) is new_link
