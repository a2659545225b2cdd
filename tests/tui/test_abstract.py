"""What only subclasses can do is missed when a class is made, not when a key is pressed."""

from __future__ import annotations

from typing import Any

import pytest

from dpolg_tui.tui.dialogs.form import FormDialog
from dpolg_tui.tui.dialogs.guest import GuestDialog
from dpolg_tui.tui.dialogs.record_form import RecordDialog
from dpolg_tui.tui.screens.booking_tabs import BookingTabs
from dpolg_tui.tui.screens.guests import GuestsScreen
from dpolg_tui.tui.screens.listing import ListScreen


@pytest.mark.parametrize(
    ("half", "arguments"),
    [(FormDialog, ("Eintrag", None)), (RecordDialog, ("Eintrag", None)), (ListScreen, ()), (BookingTabs, ())],
)
def test_half_a_screen_cannot_be_made(half: type[Any], arguments: tuple[object, ...]) -> None:
    with pytest.raises(TypeError, match="abstract"):
        half(*arguments)


def test_whole_ones_can() -> None:
    assert GuestDialog(None).title
    assert GuestsScreen().SEARCH_HINT
