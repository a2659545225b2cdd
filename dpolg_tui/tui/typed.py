"""What was typed before and is put into a form once more: of a queued write that does not fit, or a draft."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from dpolg_tui.domain.models import WriteResult
from dpolg_tui.tui.widgets.booking_form import NEW_STAY, STAY, BookingForm
from dpolg_tui.tui.widgets.form import Form
from dpolg_tui.tui.widgets.guest_field import GuestField


def _nothing(_: WriteResult) -> None:
    """A draft is gone once its form is no longer dirty."""


@dataclass(frozen=True, slots=True)
class Typed:
    """``values`` are typed ones, ``raws`` what the editors held; ``saved`` hears when the form is saved."""

    values: Mapping[str, object] = field(default_factory=dict)
    raws: Mapping[str, object] = field(default_factory=dict)
    sentence: str = ""
    """Why the form is open, for a toast."""
    saved: Callable[[WriteResult], None] = _nothing
    request: str = ""
    """The queued write that it was, if it was one."""

    @property
    def guest_id(self) -> int | None:
        """The guest that was chosen: his name has to be read."""
        raw = self.raws.get("guest_id")
        chosen = raw[0] if isinstance(raw, list | tuple) else self.values.get("guest_id")
        return chosen if isinstance(chosen, int) else None

    @property
    def stay(self) -> str:
        """The stay that was typed, ``stay/17``; empty: none."""
        return next((name for name in self.values if name.startswith("stay/")), "")

    def put_into(self, form: Form) -> None:
        """Type it, except a chosen guest."""
        if self.stay and self.stay not in form.groups:
            self._put_stay(form)
        form.put({name: value for name, value in self.values.items() if name != "guest_id"})
        for name, editor in form.fields.items():
            if name not in self.raws:
                continue
            raw = self.raws[name]
            if isinstance(editor, GuestField):
                if self.guest_id is None and isinstance(raw, list | tuple):
                    editor.put_raw((None, str(raw[1])))
            else:
                editor.put_raw(raw)

    def _put_stay(self, form: Form) -> None:
        """A stay that is not there any more is made anew."""
        if isinstance(form, BookingForm):
            form.groups = {NEW_STAY: STAY}
            form.put({NEW_STAY: self.values[self.stay]})
