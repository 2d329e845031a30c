"""What is odd about a sheet as a whole is told before anything of it is paid."""

from pathlib import Path

from tests.support.night import SINGLE, night
from tests.support.virtual_time import virtual

ODD = f"id,prompt,model,width\na,A fox in snow at dusk,{SINGLE},1024\n"


@virtual
async def test_a_column_that_is_not_sent_is_told_once(tmp_path: Path) -> None:
    """With the load that brings it, before the price; a run that loads nothing new says it no more."""
    async with night(tmp_path) as w:
        sheet = w.sheet(1)
        sheet.write_text(ODD)
        await w.run(sheet)
        told = list(w.watching.notices)
        at = told.index("1 warning of the sheet as a whole:")
        assert told[at + 1].startswith("  row 1: width: The column is not sent.")
        assert at < next(index for index, line in enumerate(told) if line.startswith("To be sent: 1 job"))
        w.watching.notices.clear()
        await w.run(sheet)
        assert not any("as a whole" in line for line in w.watching.notices)
        sheet.write_text(
            ODD.replace(",width", "").replace(",1024", "") + f"b,An owl in snow at dusk,{SINGLE}\n"
        )
        await w.run(sheet)
        assert not any("as a whole" in line for line in w.watching.notices)
