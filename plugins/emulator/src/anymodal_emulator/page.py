"""The tour as a page: who answered what to which words."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .tour import Visit

__all__ = ["render"]

STYLE: Final = """
:root { color-scheme: light dark; --back: #f6f4ef; --card: #fff; --ink: #22262b; --dim: #6d7480;
  --line: #e3dfd6; --ask: #2f5d8a; --ok: #2d7a4f; --bad: #b3392f; }
@media (prefers-color-scheme: dark) { :root { --back: #15181c; --card: #1e2329; --ink: #e7e9ec;
  --dim: #98a1ad; --line: #2d343c; --ask: #4d86bd; --ok: #5cb583; --bad: #e5776c; } }
* { box-sizing: border-box }
body { margin: 0; background: var(--back); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif }
main { max-width: 76rem; margin: 0 auto; padding: 2.5rem 1.5rem 4rem }
h1 { font-size: 2rem; margin: 0; letter-spacing: -.02em }
h2 { margin: 2.5rem 0 .8rem; font-size: .85rem; letter-spacing: .12em; text-transform: uppercase;
  color: var(--dim) }
.sum { color: var(--dim); margin: .3rem 0 0 }
nav { display: flex; flex-wrap: wrap; gap: .4rem; margin-top: 1.1rem }
nav a { color: inherit; text-decoration: none; border: 1px solid var(--line); font-size: .85rem;
  background: var(--card); border-radius: 1rem; padding: .1rem .75rem } nav b { color: var(--dim) }
.sum b { color: var(--ok) } .sum b.bad { color: var(--bad) }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(21rem, 1fr)); gap: 1rem }
article { background: var(--card); border: 1px solid var(--line); border-top: 3px solid var(--ok);
  border-radius: .7rem; padding: 1rem 1.1rem; display: flex; flex-direction: column; gap: .6rem }
article.bad { border-top-color: var(--bad) }
header { display: flex; justify-content: space-between; align-items: baseline; gap: .6rem }
header strong { font-size: 1.05rem } header span { color: var(--dim); font-size: .85rem }
p { margin: 0; overflow-wrap: anywhere; white-space: pre-wrap }
.ask { align-self: flex-end; background: var(--ask); color: #fff; padding: .45rem .8rem;
  border-radius: .9rem .9rem .2rem .9rem; max-width: 92% }
.ask img { display: block; border-radius: .5rem; margin-top: .4rem; max-width: 100% }
.said { align-self: flex-start; background: var(--back); padding: .45rem .8rem; max-width: 96%;
  border-radius: .9rem .9rem .9rem .2rem; max-height: 11rem; overflow: auto }
.made { align-self: stretch; width: 100%; border-radius: .5rem; background:
  repeating-conic-gradient(#8883 0 25%, #0000 0 50%) 0 0 / 1rem 1rem }
audio.made { background: none }
.fault { color: var(--bad); font-weight: 600 }
footer { margin-top: auto; color: var(--dim); font-size: .8rem; display: flex; flex-wrap: wrap;
  gap: .1rem .9rem }
footer a { color: inherit }
code { font: .85em ui-monospace, Menlo, Consolas, monospace }
"""


SHOWN: Final = {
    **dict.fromkeys((".png", ".jpg", ".webp", ".gif"), "image"),
    **dict.fromkeys((".wav", ".mp3", ".ogg", ".flac", ".m4a"), "audio"),
    **dict.fromkeys((".mp4", ".webm"), "video"),
}
"""What a browser does with files whose names end so."""


def render(visits: Sequence[Visit]) -> str:
    """Return the page, what can be seen and heard first; it needs only the artefacts beside it."""
    good = sum(visit.outcome == "ok" for visit in visits)
    bad = len(visits) - good
    providers = len({visit.row.provider for visit in visits})
    verdict = f'<b class="bad">{bad} failed</b>' if bad else "<b>all is well</b>"
    rooms = [(escape(name), list(group)) for name, group in groupby(visits, _modality)]
    rooms.sort(key=lambda room: not any(visit.suffix in SHOWN for visit in room[1]))
    links = "".join(f'<a href="#{name}">{name} <b>{len(group)}</b></a>' for name, group in rooms)
    sections = "".join(
        f'<h2 id="{name}">{name}</h2><div class="cards">{"".join(map(_card, group))}</div>'
        for name, group in rooms
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><title>anymodal tour</title>'
        f"<style>{STYLE}</style><main><h1>The tour</h1>"
        f'<p class="sum">{len(visits)} calls to {providers} providers on loopback: {verdict}.</p>'
        f"<nav>{links}</nav>{sections}</main></html>\n"
    )


def _modality(visit: Visit) -> str:
    return visit.row.modality


def _card(visit: Visit) -> str:
    row = visit.row
    picture = ""
    if visit.sent:
        data = base64.b64encode(visit.sent).decode()
        picture = f'<img src="data:image/png;base64,{data}" alt="the picture that was sent">'
    ok = visit.outcome == "ok"
    answer = f'<p class="said">{escape(visit.said)}</p>' if visit.said else ""
    answer += _shown(visit) if visit.path and visit.artefact else ""
    fault = "" if ok else f'<p class="fault">{escape(visit.outcome)}</p>'
    return (
        f"<article{'' if ok else ' class=bad'}><header><strong>{escape(row.provider)}</strong>"
        f"<span>{escape(row.operation)}</span></header>"
        f'<p class="ask">{escape(visit.prompt)}{picture}</p>{answer}{fault}'
        f"<footer>{_facts(visit)}</footer></article>"
    )


def _shown(visit: Visit) -> str:
    """Return the artefact as browsers show it."""
    path = escape(visit.path)
    shown = {
        "image": f'<img class="made" src="{path}" loading="lazy" alt="{escape(visit.said)}">',
        "audio": f'<audio class="made" controls preload="none" src="{path}"></audio>',
        "video": f'<video class="made" controls preload="metadata" src="{path}"></video>',
    }
    return shown.get(SHOWN.get(visit.suffix, ""), "")


def _facts(visit: Visit) -> str:
    facts = [f"<code>{escape(visit.model)}</code>"] if visit.model else []
    if visit.seconds is not None:
        facts.append(f"{visit.seconds * 1000:.0f} ms")
    if visit.first_event is not None:
        facts.append(f"first event {visit.first_event * 1000:.0f} ms")
    if visit.client:
        facts.append(f"called by {escape(visit.client)}")
    if visit.path:
        facts.append(f'<a href="{escape(visit.path)}">{visit.size} bytes</a>')
    return "".join(f"<span>{fact}</span>" for fact in facts)
