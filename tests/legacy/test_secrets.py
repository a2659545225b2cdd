"""Key codes and mail passwords of the old file: in their own columns, and nowhere else."""

from __future__ import annotations

import json
from pathlib import Path

from tests.databases import TestDatabase
from tests.legacy.files import make
from tests.legacy.migration import migrate, query

SECRET = "gEh3im"


def test_secrets_stay_nowhere_else(database: TestDatabase, tmp_path: Path) -> None:
    record = {"id": 1, "name": "Z", "schluesselcode": SECRET}
    forms = (
        json.dumps(record),
        json.dumps({"row": json.dumps(record)}),
        f"{{'smtp_password': '{SECRET}'}}",
        f'{{"SMTP_PASSWORD" : "{SECRET}\\"{SECRET}"}}',
    )
    quoted = [form.replace("'", "''") for form in forms]
    path = make(
        tmp_path / "alt.sqlite",
        "CREATE TABLE transaction_log (id INTEGER PRIMARY KEY, old_data TEXT, new_data TEXT);",
        "CREATE TABLE audit_log (id INTEGER PRIMARY KEY, old_values TEXT, note TEXT);",
        "CREATE TABLE rooms_copy (id INTEGER PRIMARY KEY, name TEXT, Schluesselcode TEXT, smtp_password);",
        "CREATE TABLE email_config (id INTEGER PRIMARY KEY, smtp_server TEXT, smtp_port INTEGER,"
        " smtp_password TEXT, from_email TEXT, from_name TEXT);",
        *(
            f"INSERT INTO transaction_log (old_data, new_data) VALUES ('{form}', '{form}');"
            for form in quoted
        ),
        *(f"INSERT INTO audit_log (old_values, note) VALUES ('{form}', 'bleibt');" for form in quoted),
        *(f"INSERT INTO audit_log (old_values) VALUES (CAST('{form}' AS BLOB));" for form in quoted),
        f"INSERT INTO audit_log (old_values) VALUES ('{quoted[0]}' || char(0));",
        f"INSERT INTO rooms_copy VALUES (1, 'Z', '{SECRET}', CAST('{SECRET}' AS BLOB));",
        f"UPDATE rooms SET schluesselcode = '{SECRET}';",
        f"INSERT INTO rooms VALUES (4, '', 'EZ', 'Ort', 1, 1, 1, '{SECRET}');",
        f"INSERT INTO email_config VALUES (1, '', 25, '{SECRET}', 'a@b', 'c');",
        f"INSERT INTO email_config VALUES (2, 's', 25, '{SECRET}', 'a@b', 'c');",
    )
    protocol = tmp_path / "protokoll.txt"
    result = migrate(database, path, tmp_path / "run", "--protocol", str(protocol))
    assert result.code == 0
    assert result.tables["rooms"]["quarantined"] == 1
    assert SECRET not in protocol.read_text("utf-8")
    assert SECRET not in json.dumps(result.report)
    tables = query(
        database,
        "SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c"
        " JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname IN ('app', 'legacy', 'auth') AND c.relkind = 'r' ORDER BY 1",
    )
    found = {
        table["name"]
        for table in tables
        for row in query(
            database,
            f"SELECT t::text AS row, encode(convert_to(t::text, 'UTF8'), 'escape') FROM {table['name']} t",
        )
        if SECRET in row["row"] or "Z0VoM2lt" in row["row"]
    }
    assert found == {"app.rooms", "app.email_settings"}
    kept = query(database, "SELECT data::text AS data FROM legacy.kept_rows WHERE table_name = 'audit_log'")
    assert sum("bleibt" in row["data"] for row in kept) == len(forms), "what is no secret stays"
