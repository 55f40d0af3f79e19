"""The page that documents the service: what one tries out is filled in, and the policy of the page hinders nothing."""

from playwright.sync_api import Browser, ConsoleMessage


def test_what_is_tried_out_is_filled_in_and_answered(chromium: Browser, site: str) -> None:
    page, complaints = chromium.new_page(), list[str]()

    def hear(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            complaints.append(message.text)

    page.on("console", hear)
    for tag, operation in (("indexation", "getIndexation"), ("zipcodes", "getZipcode"), ("zipcodes", "lookUpZipcodes")):
        page.goto("about:blank")
        page.goto(f"{site}/schema#/{tag}/{operation}")
        block = page.locator(f"#operations-{tag}-{operation}")
        block.get_by_role("button", name="Try it out").click()
        required = block.locator(".parameters tr[data-param-name]").filter(has=page.locator(".required"))
        for row in required.all():
            assert row.locator("input, select").first.input_value()
        block.get_by_role("button", name="Execute").click()
        status = block.locator(".live-responses-table tbody .response-col_status").first
        status.filter(has_text="200").wait_for()
    assert complaints == []
    page.close()
