"""
What mkdocs does not do by itself; see mkdocs.yml.

- An entry of the navigation with a star stands for the pages that it fits.
- A link that leaves `docs/` leads to a copy in the site: of a page as a page, of a
  source as a page with numbered lines, which `#L12` leads to.
- No page may load anything from another host.
"""

from __future__ import annotations

import re
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

ROOT: Final = Path(__file__).parent.parent
COPIES: Final = "repository"
LINK: Final = re.compile(r"(\]\()([^)\s#:]+)(#[^)\s]*)?(\))")
LOADED: Final = re.compile(
    r"<(?:script|img|iframe|source|video|audio)\b[^>]*\bsrc=[\"']?(?:https?:)?//[^\"'\s>]*"
    r"|<link\b(?=[^>]*\brel=[\"']?(?:stylesheet|preconnect|preload|icon))[^>]*"
    r"\bhref=[\"']?(?:https?:)?//[^\"'\s>]*"
)
LANGUAGES: Final = {".py": "python", ".toml": "toml", ".json": "json"}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put pages in place of patterns."""
    pages = sorted(path.relative_to(ROOT / "docs").as_posix() for path in ROOT.glob("docs/**/*.md"))
    config.nav = _without_stars(config.nav or [], pages)
    return config


def _without_stars(entries: list, pages: list[str]) -> list:
    found: list = []
    for entry in entries:
        title, value = next(iter(entry.items())) if isinstance(entry, dict) else (None, entry)
        if isinstance(value, list):
            found.append({title: _without_stars(value, pages)})
        elif "*" in value:
            fitting = [page for page in pages if fnmatch(page, value)]
            fitting.sort(key=lambda page: not page.endswith(("index.md", "README.md")))
            if fitting:
                found += fitting if title is None else [{title: _one_or_all(fitting)}]
        else:
            found.append(entry)
    return found


def _one_or_all(pages: list[str]) -> str | list[str]:
    return pages[0] if len(pages) == 1 else pages


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what pages link to beyond `docs/`, and what those pages link to."""
    left = [Path(file.abs_src_path) for file in files.documentation_pages() if file.abs_src_path]
    done: set[Path] = set()
    while left:
        page = left.pop()
        for match in LINK.finditer(page.read_text("utf-8")):
            target = (page.parent / match[2]).resolve()
            if target in done or not _is_copied(target) or not target.is_file():
                continue
            done.add(target)
            files.append(_copy(target, config))
            if target.suffix == ".md":
                left.append(target)
    return files


def _is_copied(target: Path) -> bool:
    """Whether *target* is in the repository, but no page of the site."""
    if not target.is_relative_to(ROOT):
        return False
    inside = target.relative_to(ROOT)
    return inside.parts[0] != "docs" or inside.suffix == ".py" or inside.parts[1] == "examples"


def _place(target: Path) -> str:
    """Return where the copy of *target* lies in the site's sources."""
    inside = target.relative_to(ROOT).as_posix()
    is_as_it_is = target.suffix in {".md", ".png", ".svg"}
    return f"{COPIES}/{inside}" if is_as_it_is else f"{COPIES}/{inside}.md"


def _copy(target: Path, config: MkDocsConfig) -> File:
    if _place(target).endswith(f"{target.name}"):
        file = File.generated(config, _place(target), abs_src_path=str(target))
    else:
        title = target.relative_to(ROOT).as_posix()
        language = LANGUAGES.get(target.suffix, "text")
        code = target.read_text("utf-8")
        content = f'# {title}\n\n``````{{ .{language} linenums="1" }}\n{code}\n``````\n'
        file = File.generated(config, _place(target), content=content)
    file.inclusion = InclusionLevel.NOT_IN_NAV
    return file


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Have links that leave `docs/`, and those of copies, lead to where the copies are."""
    del config, files
    source = page.file.src_uri
    is_copy = source.startswith(f"{COPIES}/")
    origin = ROOT / (source.removeprefix(f"{COPIES}/") if is_copy else f"docs/{source}")
    if is_copy and origin.suffix == ".md" and not origin.is_file():
        return markdown  # a source, which has no links

    def led(match: re.Match[str]) -> str:
        target = (origin.parent / match[2]).resolve()
        if not target.is_file():
            return match[0]
        place = (
            _place(target) if _is_copied(target) else target.relative_to(ROOT / "docs").as_posix()
        )
        up = "../" * source.count("/")
        anchor = re.sub(r"^#L(\d+)$", r"#__codelineno-0-\1", match[3] or "")
        return f"{match[1]}{up}{place}{anchor}{match[4]}"

    return LINK.sub(led, markdown)


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let lines of sources count as anchors, which mkdocs checks links for."""
    del config, files
    if page.present_anchor_ids is not None:
        page.present_anchor_ids |= set(re.findall(r'id="(__codelineno-[\d-]+)"', html))
    return html


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """
    Refuse a page that loads something from elsewhere.

    Raises:
        PluginError: It does.
    """
    del config
    if found := LOADED.search(output):
        msg = f"{page.file.src_uri} loads from another host: {found[0]}"
        raise PluginError(msg)
    return output
