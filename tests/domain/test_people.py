"""What is typed about people at work."""

from __future__ import annotations

import pytest

from dpolg_tui.domain.errors import InvalidInput
from dpolg_tui.domain.people import check_email


@pytest.mark.parametrize("text", ["fritz", "fritz@", "@example.org", "@"])
def test_an_email_without_something_on_both_sides_of_an_at_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"^E-Mail .*@.*: bitte .*\.$") as caught:
        check_email(text)
    assert caught.value.field == "email"


@pytest.mark.parametrize(
    ("text", "email"),
    [(" fritz@example.org ", "fritz@example.org"), ("ä@b", "ä@b"), ("", None), ("  ", None)],
)
def test_an_email_is_kept_as_typed_and_may_be_missing(text: str, email: str | None) -> None:
    assert check_email(text) == email
