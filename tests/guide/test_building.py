"""The steps after Sphinx: each notices what it is there for, on small pages of its own."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from script.guide.accessible import CORRECTIONS, correct_markup
from script.guide.inline import move_inline_parts
from script.guide.navigation import with_downloads, with_navigation
from script.guide.pack import pack, violations

PAGE = f"<html><head><title>T</title></head><body>{''.join(CORRECTIONS)}<a href='https://example.com/'>away</a></body></html>"


@pytest.mark.parametrize(
    "part",
    [
        "<script>run()</script>",
        "<style>p { color: red }</style>",
        '<p style="color: red">',
        '<p onclick="run()">',
        '<script src="https://cdn.example/x.js"></script>',
        '<script src="//cdn.example/x.js"></script>',
        '<link rel="stylesheet" href="https://fonts.example/x.css">',
        '<link rel="preconnect" href="https://fonts.example">',
        '<img src="http://pictures.example/x.png">',
        '<img srcset="https://pictures.example/x.png 2x">',
        '<form action="https://search.example/">',
        '<iframe src="https://video.example/"></iframe>',
    ],
)
def test_a_page_that_violates_the_policy_is_noticed(part: str) -> None:
    assert violations("a.html", part), part
    assert (
        violations("a.html", '<script src="x.js"></script><a href="https://example.com">x</a><img src="x.png">') == []
    )


def test_a_style_sheet_of_another_host_is_noticed() -> None:
    for rule in ("@import 'https://fonts.example/x.css';", "p { background: url(//x.example/a.png) }"):
        assert violations("a.css", rule), rule
    assert violations("a.css", "p { background: url('a.svg') }") == []


def test_a_guide_that_would_not_work_is_not_packed(tmp_path: Path) -> None:
    html, archive = tmp_path / "html", tmp_path / "guide.zip"
    html.mkdir()
    archive.write_text("the old one")
    (html / "index.html").write_text(PAGE.replace("</body>", '<p onclick="run()"></body>'))
    (html / "film.mp4").write_bytes(b"")
    with pytest.raises(ValueError, match="onclick") as refused:
        pack(html, archive)
    assert "film.mp4: the service has no media type" in str(refused.value)
    assert archive.read_text() == "the old one"


def test_the_same_pages_make_the_same_archive(tmp_path: Path) -> None:
    contents = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "index.html").write_text(PAGE)
        (tmp_path / name / "objects.inv").write_text("for Sphinx")
        assert pack(tmp_path / name, tmp_path / f"{name}.zip") == 1
        contents.append((tmp_path / f"{name}.zip").read_bytes())
    assert contents[0] == contents[1]
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert archive.namelist() == ["index.html"]


def test_inline_parts_become_files(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    page = tmp_path / "a" / "b.html"
    page.write_text(
        "<html><head><style>p { margin: 0 }</style></head><body><script>first()</script>"
        '<p class="x" style="color: red">1</p><p style="color: red">2</p><script src="kept.js"></script></body></html>'
    )
    move_inline_parts(tmp_path)
    text = page.read_text()
    assert violations("b.html", text) == []
    assert text.count('src="../_static/moved/') == 1
    assert text.index("moved-") < text.index(">1<")
    moved = {file.suffix: file.read_text() for file in (tmp_path / "_static" / "moved").iterdir()}
    assert moved[".js"] == "first()\n"
    styles = "".join(file.read_text() for file in (tmp_path / "_static" / "moved").glob("*.css"))
    assert "p { margin: 0 }" in styles
    assert "color: red" in styles


def test_a_correction_that_no_page_needs_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text(PAGE)
    correct_markup(tmp_path)
    assert 'aria-level="2"' in (tmp_path / "index.html").read_text()
    (tmp_path / "index.html").write_text(PAGE.replace("<pre>", ""))
    with pytest.raises(ValueError, match="<pre>"):
        correct_markup(tmp_path)


def test_the_navigation_comes_from_the_lists_of_links() -> None:
    one = "## One\n\n- [A](a.md): text\n- [B](b/c.md#part)\n"
    page = f"# T\n\nSee [a page](x.md).\n\n{one}\n## Two\n\n| [0001](0001-d.md) | D |\n"
    assert with_navigation(page) == (
        f"{page}\n```{{toctree}}\n:hidden:\n:caption: One\n\na\n```\n\n"
        "```{toctree}\n:hidden:\n:caption: Two\n\n0001-d\n```\n"
    )


def test_a_page_outside_of_the_guide_becomes_a_download(tmp_path: Path) -> None:
    page = tmp_path / "docs" / "howto" / "a.md"
    text = "[top](../../README.md#try-it), [other](../api.md#x), [code](../../recipes/x.py)"
    assert with_downloads(text, page, tmp_path / "docs") == (
        "{download}`top <../../README.md>`, [other](../api.md#x), [code](../../recipes/x.py)"
    )
