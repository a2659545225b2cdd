"""What the keys and the palette do wherever somebody is: places, dialogs of the whole desk, the way out."""

from __future__ import annotations

from typing import cast

from dpolg_tui.tui import work
from dpolg_tui.tui.drafting import forget_drafts
from dpolg_tui.tui.places import FOR_ADMINS, PLACES
from dpolg_tui.tui.screens.base import DeskScreen
from dpolg_tui.tui.undoing import UndoActions


class AppActions(UndoActions):
    """The actions of scope ``app``; which make sense here the app says (``check_action``)."""

    async def go_to(self, name: str) -> None:
        """Shows a place, or says for whom it is."""
        if PLACES[name].allowed(self._me.role):
            await self._me.switch_mode(name)
        else:
            self._me.notify(FOR_ADMINS, severity="warning")

    async def action_chart(self) -> None:
        await self.go_to("chart")

    async def action_guests(self) -> None:
        await self.go_to("guests")

    async def action_rooms(self) -> None:
        await self.go_to("rooms")

    async def action_users(self) -> None:
        await self.go_to("users")

    async def action_audit(self) -> None:
        await self.go_to("audit")

    async def action_health(self) -> None:
        await self.go_to("health")

    async def action_legacy(self) -> None:
        await self.go_to("legacy")

    def action_help(self) -> None:
        from dpolg_tui.tui.dialogs.help import HelpDialog, help_for

        if not isinstance(self._me.screen, HelpDialog):
            self._me.push_screen(HelpDialog(*help_for(self._me, self._me.screen)))

    def action_palette(self) -> None:
        from dpolg_tui.tui.dialogs.palette import open_palette

        open_palette(self._me, cast("DeskScreen", self._me.screen))

    def action_lock(self) -> None:
        self._me.lock_session()

    def action_who_is_here(self) -> None:
        from dpolg_tui.tui.dialogs.presence import PresenceDialog

        self._me.push_screen(PresenceDialog())

    def action_queue(self) -> None:
        from dpolg_tui.tui.dialogs.queue import QueueDialog

        self._me.push_screen(QueueDialog())

    def action_missed(self) -> None:
        from dpolg_tui.tui.dialogs.missed import MissedDialog

        self._me.push_screen(MissedDialog())

    def action_emergency_list(self) -> None:
        work.write(self._me, self._write_emergency_list(), "Notfallliste schreiben")

    async def _write_emergency_list(self) -> None:
        written = await self._me.desk.emergency.write()
        why = self._me.desk.emergency.text_only(written)
        self._me.notify(f"Notfallliste geschrieben: {written}" + (f". {why}" if why else ""), timeout=12)

    def action_own_account(self) -> None:
        from dpolg_tui.tui.dialogs.account import AccountDialog

        self._me.push_screen(AccountDialog())

    def action_own_password(self) -> None:
        from dpolg_tui.tui.dialogs.password import PasswordDialog

        self._me.push_screen(PasswordDialog())

    def action_settings(self) -> None:
        from dpolg_tui.tui.screens.settings import SettingsScreen

        if not isinstance(self._me.screen, SettingsScreen):
            self._me.read_styles()
            self._me.push_screen(SettingsScreen())

    def action_sign_out(self) -> None:
        work.write(self._me, self._ask_and_sign_out(), "Abmelden")

    async def _ask_and_sign_out(self) -> None:
        if await self._me.ask_to_lose("Abmelden und verwerfen"):
            forget_drafts(self._me)
            await self._me.sign_out()

    def action_leave(self) -> None:
        work.write(self._me, self._ask_and_leave(), "Beenden")

    async def _ask_and_leave(self) -> None:
        if await self._me.ask_to_lose("Beenden und verwerfen"):
            forget_drafts(self._me)
            self._me.exit()

    def action_cancel_job(self) -> None:
        if self._me.jobs.slow is not None:
            self._me.jobs.slow.cancel()

    def action_hint_leave(self) -> None:
        self._me.notify("Beenden mit Strg+Q")
