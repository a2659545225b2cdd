"""What makes a password good enough."""

from __future__ import annotations

import pytest

from dpolg_tui.domain.errors import InvalidInput
from dpolg_tui.domain.passwords import LEGIBLE, check_password, generate_password


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
        ("passwort1234", "zu erraten"),
        ("Willkommen2026", "zu erraten"),
        ("Brannenburg2026!", "zu erraten"),
        ("Beispielhuber1", "zu erraten"),
        ("qwertzuiop123", "zu erraten"),
    ],
)
def test_bad(password: str, why: str) -> None:
    with pytest.raises(InvalidInput, match=why) as caught:
        check_password(password, "anna", full_name="Anna Beispielhuber")
    assert caught.value.field == "new"


def test_generated_passwords_are_good_legible_and_new() -> None:
    made = {generate_password() for _ in range(50)}
    assert len(made) == 50
    for password in made:
        check_password(password, "anna", full_name="Anna Beispielhuber")
        assert set(password) <= {*LEGIBLE, "-"}
    assert not set(LEGIBLE) & set("il1o0")


def test_a_short_name_counts_only_as_a_word() -> None:
    check_password("sieben grüne Ofenrohre", "ben")
    with pytest.raises(InvalidInput, match="Benutzernamen"):
        check_password("grüne Ofenrohre für Ben", "ben")
