"""A bare Textual application with one field: the baseline of start and memory."""

from textual.app import App, ComposeResult
from textual.widgets import Input


class Bare(App[None]):
    def compose(self) -> ComposeResult:
        yield Input(placeholder="Benutzername")


if __name__ == "__main__":
    Bare().run()
