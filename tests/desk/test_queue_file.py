"""The file of the queue as somebody else may have left it: put aside with a sentence, never overwritten."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID

import pytest

from dpolg_tui.desk import restored
from dpolg_tui.desk.offline import NotKept, Queued, State, Write
from dpolg_tui.desk.queue_file import Owner, QueueFile
from dpolg_tui.domain.merge import Change

OWNER = Owner("anna", "dpolg_booking", "db.example.org:5432")


def filled(path: Path) -> QueueFile:
    """A queue with one change of a reminder."""
    file = QueueFile(path, OWNER)
    due = {"due_date": Change(date(2026, 11, 22), date(2026, 11, 23))}
    write = Write.of("reminder", 7, due)
    at = datetime(2026, 11, 22, 3, tzinfo=UTC)
    file.save([Queued(UUID(int=1), write, "Erinnerung", at, State.WAITING)])
    return file


def test_what_was_queued_comes_back_with_its_dates(tmp_path: Path) -> None:
    [found] = filled(tmp_path / "queue.json").load()
    [waiting] = found.waiting()
    assert waiting.changes == {"due_date": Change(date(2026, 11, 22), date(2026, 11, 23))}


@pytest.mark.parametrize("spoilt", ["31.11.2026", "2026-11-31", ""])
def test_a_date_that_is_none_puts_the_file_aside(tmp_path: Path, spoilt: str) -> None:
    file = filled(tmp_path / "queue.json")
    content = json.loads(file.path.read_text())
    content["writes"][0]["write"]["changes"]["due_date"]["to"] = spoilt
    text = json.dumps(content)
    file.path.write_text(text)
    with pytest.raises(NotKept, match="waren nicht lesbar: sie liegen jetzt in"):
        file.load()
    [aside] = tmp_path.glob("queue.unlesbar-*")
    assert aside.read_text() == text
    assert not file.path.exists()


def test_earlier_queues_keep_their_temporary_ids_where_these_are_free(tmp_path: Path) -> None:
    """Forms that were not saved may name them; two queues must not share one."""
    for installation in ("older", "old"):
        file = QueueFile(tmp_path / f"{installation}-7.json", OWNER)
        at = datetime(2026, 11, 22, 3, tzinfo=UTC)
        guest = Write.of("guest", None, {"last_name": Change(None, installation)})
        booking = Write.of("booking", None, {"guest_id": Change(None, -2)})
        file.save(
            [
                Queued(UUID(int=1), guest, installation, at, State.WAITING, temporary=-2),
                Queued(UUID(int=2), booking, "Buchung", at, State.WAITING, temporary=-3),
            ]
        )
    found = restored.look(tmp_path / "new-7.json", OWNER)
    items = found.numbered(0)
    assert [one.temporary for one in items] == [-2, -3, -4, -5]
    assert [one.write.raw_changes["guest_id"].after for one in items[1::2]] == [-2, -4]
    assert [one.temporary for one in found.numbered(-2)] == [-3, -4, -5, -6]
    found.release()
