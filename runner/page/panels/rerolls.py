"""What is marked for a re-roll: its price, and the sheets that have what was marked before."""

from typing import TYPE_CHECKING, Any

from jobs.manifests.record import dollars
from runner.page.page import Page

if TYPE_CHECKING:
    from jobs.views import BatchView
    from runner.deciding.rerolls import RerollSheet


async def rerolls(page: Page, batch: "BatchView") -> dict[str, Any]:
    """For one row each: so many variants cost so many times as much."""
    from runner.deciding.rerolls import reroll_sheet  # what reads sheets is not needed to show a page

    sheet = await reroll_sheet(page.store, batch, page.folder)
    return told(sheet, batch) | {
        "pictures": len(sheet.made),
        "left_out": [{"key": key, "why": why} for key, why in sheet.left_out],
        "made_before": list(sheet.made_before),
        "command": page.command("reroll", batch.name),
    }


def told(sheet: "RerollSheet", batch: "BatchView") -> dict[str, Any]:
    """A sheet, and what it would cost."""
    low, high = sheet.price(batch.prices)
    return {
        "sheet": str(sheet.path.absolute()),
        "jobs": sheet.work.jobs,
        "images": sheet.work.images,
        "low_usd": dollars(low),
        "high_usd": dollars(high),
    }
