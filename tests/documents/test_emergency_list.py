"""The emergency list on paper says what its text says, in letters that are there."""

from __future__ import annotations

import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest

from dpolg_tui.documents import emergency_list
from dpolg_tui.documents.fonts import REGULAR, printable, width, wrapped
from dpolg_tui.documents.paper import BODY, BOTTOM, FOOT, GAP, MARGIN, Page, Text, column_widths
from dpolg_tui.domain import emergency
from dpolg_tui.domain.models import Kind, Status

DAY = date(2026, 11, 21)
GUESTS = (("Müller-Lüdenscheidt", "Hans-Jürgen"), ("Yılmaz", "Ayşe"), ("Dvořák", "Erdős"), ("Łoś", "Ţiriac"))
LONG = "Übermäßig-Langername" * 5
REASON = "Wasserschaden im Bad, Trocknung bis Ende der Woche, Selbstbehalt 120,00 €"


def _house(rooms: int = 6) -> emergency.Emergency:
    """A guest in every room from a day on that differs, one with a long name, a block."""
    taken = [
        _taken(
            room,
            DAY + timedelta(room % 4 - 1),
            DAY + timedelta(room % 4 + 2),
            number=f"2026-{room}",
            status=Status.CONFIRMED,
            persons=2,
            last_name=GUESTS[room % 4][0] if room != 5 else LONG,
            first_name=GUESTS[room % 4][1],
        )
        for room in range(1, rooms + 1)
    ]
    taken.append(_taken(99, DAY, DAY + timedelta(2), kind=Kind.OUT_OF_ORDER, reason=REASON))
    made = datetime(2026, 11, 21, 8, 15, tzinfo=UTC)
    return emergency.Emergency(made, DAY, DAY + timedelta(7), tuple(taken))


def _taken(
    room: int,
    arrival: date,
    departure: date,
    kind: Kind = Kind.STAY,
    reason: str = "",
    number: str = "",
    status: Status | None = None,
    persons: int = 0,
    last_name: str = "",
    first_name: str = "",
) -> emergency.Taken:
    where = f"{room} Wendelstein · Haupthaus, Brannenburg"
    person = (last_name, first_name)
    return emergency.Taken(
        room, where, arrival, departure, kind, reason, number, status, persons, *person, departure
    )


def _words(page: Page) -> list[str]:
    return [item.words for item in page.items if isinstance(item, Text)]


def _squeezed(words: list[str]) -> str:
    """Everything without the blanks and breaks that the layout makes."""
    return "".join("".join(words).split())


@pytest.mark.parametrize("personal_data", ["names", "initials", "none"])
def test_it_says_what_the_text_says(personal_data: emergency.PersonalData) -> None:
    house = _house()
    days = emergency.days(house, personal_data)
    pages = emergency_list.layout(house, personal_data).pages
    assert [page.heading for page in pages] == [day.heading for day in days]
    for page, day in zip(pages, days, strict=True):
        words = _words(page)
        assert words[:3] == ["NOTFALLLISTE", "Stand 21.11.2026 09:15", day.heading]
        assert words[-1] == day.total
        shown = _squeezed(words)
        for section in day.sections:
            assert section.heading in words
            cells = [cell for row in section.rows for cell in row]
            assert all(_squeezed([cell]) in shown or len(cell) > 20 for cell in cells)
    everything = _squeezed([word for page in pages for word in _words(page)])
    with_names = personal_data == "names"
    for secret in ("Müller", "Dvořák", LONG[:10], "Wasserschaden"):
        assert (secret in everything) is with_names, secret
    assert ("H.M." in everything) is (personal_data == "initials")
    assert "2026-1" in everything
    assert ("Gast" in {word for page in pages for word in _words(page)}) is (personal_data != "none")


def test_nothing_leaves_the_paper_and_every_page_says_which_it_is() -> None:
    paper = emergency_list.layout(_house(120), "names")
    assert len(paper.pages) > 7
    for page in paper.pages:
        texts = [item for item in page.items if isinstance(item, Text)]
        for one in texts:
            wide = width(one.words, one.font, one.size)
            left = one.x - wide if one.right else one.x
            assert left >= MARGIN - 0.01
            assert left + wide <= MARGIN + BODY + 0.01, one.words
            assert one.y <= BOTTOM < FOOT
        assert any("Zimmer" in one.words or "belegt" in one.words for one in texts[3:])
    continued = [page for page in paper.pages if page.heading.endswith("(Fortsetzung)")]
    assert continued
    assert all(page.heading.count("(Fortsetzung)") == 1 for page in continued)
    assert any("Anreisen (30) (Fortsetzung)" in _words(page) for page in continued)


def test_each_guest_is_on_the_page_of_his_arrival_once() -> None:
    house = _house(120)
    paper = emergency_list.layout(house, "none")
    heading = emergency.days(house, "none")[0].heading
    numbers = [
        words
        for page in paper.pages
        if page.heading.startswith(heading)
        for words in _words(page)
        if words.startswith("2026-")
    ]
    arriving = {one.number for one in house.taken if one.is_stay and one.arrival <= DAY < one.departure}
    assert sorted(numbers) == sorted(arriving)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("äÄöÖüÜß € – · „Grüße“", "äÄöÖüÜß € – · „Grüße“"),
        ("Yılmaz Łukasz Dvořák Erdős Ştefan Αθήνα Дядя", "Yılmaz Łukasz Dvořák Erdős Ştefan Αθήνα Дядя"),
        ("u\u0308ber", "über"),
        ("Çelik\u2011Özdemir", "Çelik-Özdemir"),
        ("😀", "?"),
        ("a\u200bb\tc", "abc"),
        ("①", "1"),
    ],
)
def test_letters(text: str, expected: str) -> None:
    assert printable(text) == expected


def test_lines_are_broken_between_words_else_anywhere() -> None:
    assert wrapped("", REGULAR, 10, 50) == [""]
    lines = wrapped("ein zwei drei vier", REGULAR, 10, 50)
    assert len(lines) > 1
    assert " ".join(lines) == "ein zwei drei vier"
    lines = wrapped("x" * 50, REGULAR, 10, 50)
    assert "".join(lines) == "x" * 50
    assert all(width(line, REGULAR, 10) <= 50 for line in lines)


def test_the_widest_columns_give_way() -> None:
    columns = ("kurz", "leer", "lang")
    short, empty, long = column_widths(columns, [("ab", "", "wort " * 60)])
    assert empty == 0
    assert short == pytest.approx(width("kurz", REGULAR, 9.5))
    assert short + GAP + long == pytest.approx(BODY)
    assert column_widths(columns, []) == [0, 0, 0]


def test_a_reader_of_pdf_finds_the_words(tmp_path_factory: pytest.TempPathFactory) -> None:
    program = shutil.which("pdftotext")
    if program is None:
        pytest.skip("pdftotext (package poppler-utils) is not installed")
    content = emergency_list.pdf(_house(), "names")
    file = tmp_path_factory.mktemp("pdf") / "list.pdf"
    file.write_bytes(content)
    done = subprocess.run(
        [program, "-layout", str(file), "-"], capture_output=True, text=True, check=True, timeout=30
    )
    pages = done.stdout.removesuffix("\f").split("\f")
    assert len(pages) == 7
    assert "Müller-Lüdenscheidt, Hans-Jürgen" in done.stdout
    assert "Dvořák, Erdős" in done.stdout
    assert "120,00 €" in done.stdout
    for number, page in enumerate(pages, start=1):
        assert f"Seite {number} von 7" in page
        assert "Stand 21.11.2026 09:15" in page


def test_two_at_a_time() -> None:
    house = _house(60)
    with ThreadPoolExecutor(2) as threads:
        made = list(threads.map(lambda _: emergency_list.pdf(house, "names"), range(4)))
    # Their moment of creation is all that may differ.
    assert len({len(one) for one in made}) == 1
    assert all(one.startswith(b"%PDF-") and one.rstrip().endswith(b"%%EOF") for one in made)
