"""What makes a password good enough."""

from __future__ import annotations

import pytest

from dpolg_tui.domain.errors import InvalidInput
from dpolg_tui.domain.passwords import check_password


@pytest.mark.parametrize(
    "password", ["drei grüne Tannen", "am see bei uns steht", "Xk3-9fbQ-27zR", "ein-haus-weit"]
)
def test_good(password: str) -> None:
    check_password(password, "anna")


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("", "zu kurz"),
        ("Kurz1!", "zu kurz"),
        ("am see", "zu kurz"),
        ("a b c d e f", "zu kurz"),
        ("aaaaaaaaaaaaaaa", "wiederholt"),
        ("ich bin Anna heute", "Benutzernamen"),
        ("lang " * 60, "zu lang"),
    ],
)
def test_bad(password: str, why: str) -> None:
    with pytest.raises(InvalidInput, match=why) as caught:
        check_password(password, "anna")
    assert caught.value.field == "new"
