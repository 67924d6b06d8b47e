"""A page of job cards, and names that would do something if anything took them for more than text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

HARNESS = Path(__file__).parents[2] / "labextension" / "harness"

#: Names that would do something, or look like something else, if anything took them for more than text.
CORPUS = (
    "<img src=x onerror=__pwn()>",
    "</script><svg/onload=__pwn()>",
    "<iframe srcdoc='<script>parent.__pwn()</script>'>",
    "javascript:__pwn()",
    '" autofocus onfocus="__pwn()',
    "{{7*7}}",
    "%s%n",
    "${__pwn()}",
    "../../x",
    "..\\x",
    "/etc/passwd",
    "%2e%2e%2f",
    "a\0b",
    "CON",
    "x" * 300,
    "\u202egnp.exe",
    "a\u200bb",
    "\u00e9",
    "e\u0301",
    "👩\u200d👩\u200d👧",
    "=cmd|'/C calc'!A0",
    "two\nlines",
    "-rf",
    "__proto__",
    "constructor",
    "url(http://evil.example/x)",
    "</style><style>*{background:url(http://evil.example/y)}",
    "\x1b[31mred\x1b]0;title\x07",
)
#: Half of a pair, which no UTF-8 can hold: a page meets it in what JavaScript cut, or read from escapes.
HALF = "a\ud800b"
#: Press every button, then look for what is no text of ours and for names that are not there.
OPEN_ALL = """
corpus => {
  const strange = [], missing = [];
  for (const box of document.querySelectorAll("#states > div")) {
    const root = box.shadowRoot;
    for (const button of root.querySelectorAll("button")) button.click();
    const all = [...root.querySelectorAll("*")];
    for (const node of all) {
      const odd = node.matches("script, img, iframe, object, embed, link, base, form, meta, a")
        || [...node.attributes].some(({ name }) => /^(on|autofocus|srcdoc)/.test(name));
      if (odd) strange.push(`${box.id} ${node.outerHTML.slice(0, 80)}`);
    }
    const name = corpus[parseInt(box.id)];
    const told = all.some(node => node.title === name || [...node.childNodes].some(
      child => child.nodeType === 3 && child.data.includes(name)));
    if (!told) missing.push(box.id);
  }
  return { strange, missing, pwned: "__pwn" in window };
}
"""


def watched(page: Page) -> list[str]:
    """What goes wrong on the page of cards from now on: errors, dialogs, requests to anybody else."""
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(f"uncaught {error}"))
    page.on("console", lambda said: said.type == "error" and wrong.append(said.text))
    page.on("dialog", lambda dialog: (wrong.append(f"dialog {dialog.message}"), dialog.dismiss()))
    page.on(
        "request", lambda asked: asked.url.startswith("http://cards/") or wrong.append(f"asked {asked.url}")
    )
    page.route("**/*", lambda route: serve(route) if "//cards/" in route.request.url else route.abort())
    return wrong


def serve(route: Any) -> None:
    route.fulfill(path=HARNESS / route.request.url.removeprefix("http://cards/"))
