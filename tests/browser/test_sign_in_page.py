"""The sign-in page in a real browser: a given password is changed, a wrong one is said, who was thrown out comes back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from api.clock import SystemClock
from api.work.access import Role
from api.work.accounts import Accounts
from api.work.passwords import Passwords
from tests.browser.conftest import DROVE, Desk
from tests.builders.service import CHEAP

NEW = "several words are quite long"


@pytest.fixture
def stranger(browser: Browser, desk: Desk) -> Iterator[Page]:
    """The page of somebody who is not signed in; nothing but refusals went wrong in it."""
    context = browser.new_context(locale="en-GB")
    page = context.new_page()
    page.set_default_timeout(15_000)
    desk.watch(page)
    yield page
    context.close()
    assert [trouble for trouble in desk.troubles if "status of 401" not in trouble] == []


@pytest.fixture
def accounts(desk: Desk) -> Accounts:
    return Accounts(desk.records.database, Passwords(CHEAP), SystemClock().now)


def sign_in(page: Page, name: str, password: str) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_a_newcomer_changes_the_given_password_and_comes_to_the_case_that_was_wanted(
    stranger: Page, desk: Desk, accounts: Accounts
) -> None:
    _, given = accounts.add(None, name="wang", display_name="Wang", role=Role.OFFICER, site_ids=None)
    stranger.goto(f"{desk.address}review/{DROVE}")
    stranger.wait_for_url("**/sign-in?to=*")
    sign_in(stranger, "wang", "a wrong password")
    expect(stranger.get_by_role("alert")).to_have_text("Name and password do not fit.")
    sign_in(stranger, "wang", given)
    expect(stranger.get_by_role("heading")).to_have_text("Choose a password")
    stranger.get_by_label("New password").fill("wwwwwwwwwwwwwwww")
    stranger.get_by_role("button", name="Change and go on").click()
    expect(stranger.get_by_role("alert")).to_contain_text("guessed at once")
    stranger.get_by_label("New password").fill(NEW)
    stranger.get_by_role("button", name="Change and go on").click()
    stranger.wait_for_selector(".case")
    assert stranger.url == f"{desk.address}review/{DROVE}"
    expect(stranger.locator(".who")).to_contain_text("Wang")
    desk.troubles[:] = [trouble for trouble in desk.troubles if "status of 422" not in trouble]


def test_a_session_that_ends_meanwhile_leads_to_the_form_and_back(
    stranger: Page, desk: Desk, accounts: Accounts
) -> None:
    account, given = accounts.add(
        None, name="wang", display_name="Wang", role=Role.OFFICER, site_ids=None, must_change=False
    )
    stranger.goto(f"{desk.address}sign-in#{accounts.link(account.id)}")
    stranger.wait_for_selector("a.row")
    given = accounts.reset_password(None, account.id)
    stranger.locator("a.row").first.click()
    stranger.wait_for_url("**/sign-in?to=%2Freview%2F*")
    sign_in(stranger, "wang", given)
    stranger.get_by_label("New password").fill(NEW)
    stranger.get_by_role("button", name="Change and go on").click()
    stranger.wait_for_selector(".case")


def test_who_signs_out_is_out_and_a_link_works_once(stranger: Page, desk: Desk) -> None:
    link = desk.link()
    stranger.goto(link)
    stranger.wait_for_url("**/review")
    assert "#" not in stranger.url
    assert stranger.evaluate("document.cookie") == ""
    stranger.get_by_role("button", name="Sign out").click()
    stranger.wait_for_url("**/sign-in?to=*")
    assert stranger.context.cookies() == []
    stranger.goto(f"{desk.address}review")
    stranger.wait_for_url("**/sign-in?to=*")
    stranger.goto("about:blank")
    stranger.goto(link)
    expect(stranger.get_by_role("alert")).to_contain_text("This link was used before")


def test_the_form_leads_to_no_other_site(stranger: Page, desk: Desk) -> None:
    for to in ("https://evil.example/", "//evil.example", "/review/..\\evil", "javascript:alert(1)"):
        _, _, secret = desk.link().partition("#")
        stranger.goto(f"{desk.address}sign-in?to={to}#{secret}")
        stranger.wait_for_selector("a.row")
        assert stranger.url == f"{desk.address}review"
