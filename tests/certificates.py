"""Certificates to test with."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest


def certificate(folder: Path, days: int) -> tuple[Path, Path]:
    """Key and certificate for localhost, signed by itself, for so many days from now; expired if negative."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed: no certificate to test with")
    key, request, made = folder / f"key{days}.pem", folder / f"{days}.csr", folder / f"made{days}.pem"
    new = ["req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-keyout", key, "-out", request]
    sign = ["x509", "-req", "-in", request, "-signkey", key, "-days", days, "-out", made]
    for command in (new, sign):
        subprocess.run([openssl, *map(str, command)], check=True, capture_output=True)
    return key, made
