"""Write the sheet of what is marked for a re-roll. It pays nothing: to run it is a line to type."""

from jobs.review.rerolls import MOST_VARIANTS, NEW_SEED, SAME_SEED
from runner.page.acts.act import Act, Answer, Asked, NoAct
from runner.page.panels.rerolls import told


async def _reroll(asked: Asked) -> Answer | NoAct:
    """Beside what the command writes: with the next free name, never over a file."""
    from runner.deciding.rerolls import reroll_sheet, write_reroll_sheet  # reads sheets: not for each page

    page, batch = asked.page, asked.batch
    seed, variants = asked.told.get("seed", NEW_SEED), asked.told.get("variants", 1)
    if seed not in (NEW_SEED, SAME_SEED) or type(variants) is not int or not 1 <= variants <= MOST_VARIANTS:
        return NoAct(f"A seed is {NEW_SEED} or {SAME_SEED}, and variants are 1 to {MOST_VARIANTS}.")
    sheet = await reroll_sheet(page.store, batch, page.folder, seed=seed, variants=variants)
    if not sheet.rows:
        return {"sheet": None, "jobs": 0, "not_said_count": len(sheet.not_said)}
    await write_reroll_sheet(page.store, sheet)
    return told(sheet, batch) | {
        "not_said_count": len(sheet.not_said),
        "command": page.command("run", str(sheet.path.absolute())),
    }


REROLL = Act(_reroll)
