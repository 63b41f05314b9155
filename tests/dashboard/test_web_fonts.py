"""Inter as it is served: what it holds, how little it weighs, and that style sheets, pages and files agree about it."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command
from django.template.loader import render_to_string
from django.test import override_settings
from fontTools.ttLib import TTFont

from dashboard.generated_files import made_once
from dashboard.web import fonts
from dashboard.web.fonts import CHARACTERS, EXTENDED, LATIN, characters

# The first test makes the files.
pytestmark = pytest.mark.slow

FONTS_CSS = settings.BASE_DIR / "static" / "css" / "fonts.css"
# What no font shows as a mark of its own, and what Inter does without.
NOT_DRAWN = {0xAD, 0x149}
NAMES = "Żółć Łęcka Čapek Ğüneş Ştefan Țepeș Müller Sørensen Ærø Œuvre Ōno naïve ¿Qué? “42 %” – 3 × 4 − 1 → € № ™ ≥ …"
OTHERS = "Nguyễn Thị Hương Ngọc Αλέξανδρος Παπαδόπουλος Дмитрий Ђорђевић Їжак Ґонта Ọlá"


def font(name: str) -> TTFont:
    found = finders.find(name)
    assert isinstance(found, str)
    assert Path(found).read_bytes()[:4] == b"wOF2"
    return TTFont(found)


def test_latin_is_small_and_whole() -> None:
    inter = font(LATIN)
    assert set(inter.getBestCmap()) == characters(CHARACTERS[LATIN]) - NOT_DRAWN
    assert set(map(ord, NAMES)) <= set(inter.getBestCmap())
    assert Path(str(finders.find(LATIN))).stat().st_size < 36_000


def test_what_is_rarer_is_in_the_other_file() -> None:
    inter, latin = font(EXTENDED), font(LATIN)
    missing = set(map(ord, OTHERS)) - set(inter.getBestCmap()) - set(latin.getBestCmap())
    assert missing == set()
    assert not set(inter.getBestCmap()) & set(latin.getBestCmap())
    assert Path(str(finders.find(EXTENDED))).stat().st_size < 64_000


@pytest.mark.parametrize("name", CHARACTERS)
def test_the_weights_of_the_style_sheets_are_there(name: str) -> None:
    axes = {axis.axisTag: (axis.minValue, axis.maxValue) for axis in font(name)["fvar"].axes}
    assert axes == {"wght": (400, 650)}
    used = set()
    for sheet in FONTS_CSS.parent.glob("*.css"):
        if sheet != FONTS_CSS:
            used |= {int(weight) for weight in re.findall(r"font(?:-weight)?: ([1-9]\d\d)\b", sheet.read_text())}
    assert {400, 500, 600} <= used
    assert min(used) >= 400 and max(used) <= 650


def test_figures_can_be_of_one_width() -> None:
    inter = font(LATIN)
    names, widths = inter.getBestCmap(), inter["hmtx"]
    assert widths[names[ord("1")]][0] < widths[names[ord("8")]][0]
    tabular = {
        widths[lookup.mapping[names[ord(figure)]]][0]
        for lookup in substitutions(inter, "tnum")
        for figure in "0123456789"
        if names[ord(figure)] in lookup.mapping
    }
    assert len(tabular) == 1


@pytest.mark.parametrize("name", CHARACTERS)
def test_words_among_figures_keep_their_hyphens_and_spaces(name: str) -> None:
    inter = font(name)
    replaced = {glyph for lookup in substitutions(inter, "tnum") for glyph in lookup.mapping}
    assert replaced == {inter.getBestCmap()[ord(digit)] for digit in "0123456789" if name == LATIN}


def substitutions(inter: TTFont, feature: str) -> list:
    table = inter["GSUB"].table
    places = {
        place
        for record in table.FeatureList.FeatureRecord
        if record.FeatureTag == feature
        for place in record.Feature.LookupListIndex
    }
    return [sub for place in places for sub in table.LookupList.Lookup[place].SubTable if hasattr(sub, "mapping")]


def test_words_are_kerned_and_the_license_is_named() -> None:
    inter = font(LATIN)
    assert "kern" in {record.FeatureTag for record in inter["GPOS"].table.FeatureList.FeatureRecord}
    assert "Inter Project Authors" in inter["name"].getDebugName(0)
    assert "Open Font License" in inter["name"].getDebugName(13)


@pytest.mark.parametrize("name", CHARACTERS)
def test_the_style_sheet_names_the_same_characters(name: str) -> None:
    rules = [rule for rule in FONTS_CSS.read_text().split("@font-face") if f"../{name}" in rule]
    assert len(rules) == 1
    written = re.search(r"unicode-range: ([^;]+);", rules[0])
    assert written
    ranges = written[1].replace("U+", "").replace(",", "")
    assert characters(ranges) == characters(CHARACTERS[name])


@pytest.mark.parametrize("name", ["base.html", "entrance.html", "alone.html"])
def test_every_page_asks_for_the_font_at_once(name: str) -> None:
    assert '{% include "components/head.html" %}' in (settings.BASE_DIR / "templates" / name).read_text()
    head = render_to_string("components/head.html")
    assert f'<link rel="preload" href="/static/{LATIN}" as="font" type="font/woff2" crossorigin>' in head


def test_the_finder_finds_nothing_else() -> None:
    assert finders.find("fonts/inter.woff2") is None


def test_collected_under_the_name_of_what_it_holds(tmp_path: Path) -> None:
    storage = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"}}
    with override_settings(STATIC_ROOT=tmp_path, STORAGES=settings.STORAGES | storage):
        call_command("collectstatic", ignore_patterns=["*.js"], interactive=False, verbosity=0)
        preloaded = staticfiles_storage.url(LATIN)
    sheet = next(path for path in (tmp_path / "css").glob("rollcall.*.css")).read_text()
    for name in CHARACTERS:
        hashed = re.search(re.escape(name.removesuffix("woff2")) + r"[0-9a-f]{12}\.woff2", sheet)
        assert hashed
        assert (tmp_path / hashed[0]).read_bytes() == Path(str(finders.find(name))).read_bytes()
        assert (preloaded == f"/static/{hashed[0]}") == (name == LATIN)


def test_a_missing_wheel_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "_PACKAGE", "no_such_package")
    with pytest.raises(fonts.MissingFontError, match=r"install requirements/base\.txt"):
        fonts.source()


def test_files_are_made_once_and_anew_when_a_source_has_changed(tmp_path: Path) -> None:
    source, made = tmp_path / "source", []
    source.write_text("one")

    def make(folder: Path) -> None:
        made.append(folder)
        (folder / "file").write_text(source.read_text().upper())

    first = made_once(tmp_path / "made", [source], make)
    assert made_once(tmp_path / "made", [source], make) == first
    assert (first / "file").read_text() == "ONE"
    assert len(made) == 1
    source.write_text("two")
    second = made_once(tmp_path / "made", [source], make)
    assert (second / "file").read_text() == "TWO"
    assert made_once(tmp_path / "made", [source], make, versions="2") not in (first, second)


def test_what_another_process_made_meanwhile_is_taken(tmp_path: Path) -> None:
    def make(folder: Path) -> None:
        (folder / "file").write_text("ours")
        if not list(tmp_path.glob("*/file")):
            made_once(tmp_path, [], lambda part: (part / "file").write_text("theirs") and None)

    made = made_once(tmp_path, [], make)
    assert (made / "file").read_text() == "theirs"
    assert list(tmp_path.iterdir()) == [made]
