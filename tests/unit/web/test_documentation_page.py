"""What the page that documents the service may do in a browser."""

import re
from base64 import b64encode
from hashlib import sha256

import httpx2


async def test_the_page_runs_what_it_was_sent_with_and_nothing_else(client: httpx2.AsyncClient) -> None:
    page = await client.get("/schema")
    policy = dict(part.strip().split(" ", 1) for part in page.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert "unsafe" not in page.headers["content-security-policy"]
    inline = re.findall(r"<(script|style)(?: [^>]*)?>(.*?)</\1>", page.text, re.DOTALL)
    assert sorted(kind for kind, text in inline if text) == ["script", "style"]
    assert len(re.findall("'sha256-", page.headers["content-security-policy"])) == 2
    for kind, text in ((kind, text) for kind, text in inline if text):
        digest = b64encode(sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy[f"{kind}-src"].split()

    assert " style=" not in page.text  # no digest allows an attribute


async def test_every_answer_of_the_documentation_is_as_careful(client: httpx2.AsyncClient) -> None:
    for path in ("/schema", "/schema/openapi.json", "/schema/oauth2-redirect.html"):
        answer = await client.get(path)
        assert answer.status_code == 200
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["referrer-policy"] == "no-referrer"
