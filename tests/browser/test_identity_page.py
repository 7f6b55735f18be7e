"""Signing in at an identity provider of another site, in a real browser, which keeps strict cookies from the way back."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from api.clock import SystemClock
from api.work.access import Role
from api.work.accounts import Accounts
from api.work.passwords import Passwords
from tests.browser.conftest import DROVE, serving
from tests.builders.identity_provider import CLIENT, SECRET, a_provider
from tests.builders.service import CHEAP

BY_PROVIDER = "Sign in with the identity provider"


def test_an_officer_comes_by_the_provider_to_the_case_that_was_wanted(
    browser: Browser, built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    shutil.copytree(built, data)
    secret = tmp_path / "secret"
    secret.write_text(f"{SECRET}\n", encoding="utf-8")
    now = SystemClock().now
    with a_provider(now, "localhost") as provider:
        monkeypatch.setenv("STOPLINE_OIDC_ISSUER", provider.issuer)
        monkeypatch.setenv("STOPLINE_OIDC_CLIENT_ID", CLIENT)
        monkeypatch.setenv("STOPLINE_OIDC_CLIENT_SECRET_FILE", str(secret))
        with serving(data) as desk:
            accounts = Accounts(desk.records.database, Passwords(CHEAP), now)
            wang, password = accounts.add(
                None, name="wang", display_name="Wang", role=Role.OFFICER, site_ids=None, must_change=False
            )
            context = browser.new_context(locale="en-GB")
            page = context.new_page()
            page.set_default_timeout(15_000)
            desk.watch(page)
            alert = page.get_by_role("alert")

            provider.fault = 503
            page.goto(f"{desk.address}sign-in")
            page.get_by_role("link", name=BY_PROVIDER).click()
            expect(alert).to_contain_text("The identity provider does not answer.")
            page.get_by_label("Name").fill("wang")
            page.get_by_label("Password").fill(password)
            page.get_by_role("button", name="Sign in").click()
            expect(page.locator(".who")).to_contain_text("Wang")
            page.get_by_role("button", name="Sign out").click()

            provider.fault = None
            page.get_by_role("link", name=BY_PROVIDER).click()
            expect(alert).to_contain_text("no account is linked to you")
            accounts.identify(None, wang.id, provider.issuer, provider.subject)
            page.goto(f"{desk.address}review/{DROVE}")
            page.wait_for_url("**/sign-in?to=*")
            page.get_by_role("link", name=BY_PROVIDER).click()
            page.wait_for_selector(".case")
            assert page.url == f"{desk.address}review/{DROVE}"
            expect(page.locator(".who")).to_contain_text("Wang")
            (session,) = [c for c in context.cookies() if c["name"].startswith("stopline")]
            assert (session["httpOnly"], session["sameSite"]) == (True, "Strict")
            page.reload()
            page.wait_for_selector(".case")
            page.get_by_role("button", name="Sign out").click()
            page.wait_for_url("**/sign-in?to=*")
            assert context.cookies() == []
            context.close()
            elsewhere = f"request to elsewhere: {provider.issuer}/authorize?"
            troubles = [trouble for trouble in desk.troubles if "status of 401" not in trouble]
            assert [trouble for trouble in troubles if not trouble.startswith(elsewhere)] == []
