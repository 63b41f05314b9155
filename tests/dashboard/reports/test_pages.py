"""The page of reports, the downloads, and the form for logo and color."""

import struct
import zlib

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from dashboard.models import AuditEvent, Branding, SettingChange
from dashboard.services import RefusedError
from dashboard.services.branding import checked_color, checked_logo, contrast
from sync.models import Account, Campaign, Department, Person

GOOD = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 10"><path d="M0 0h40v10z" style="fill:#112233"/></svg>'


def png(width: int = 4, height: int = 2, *, extra: bytes = b"") -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    rows = b"".join(b"\0" + b"\x10\x80\x40" * width for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", head) + extra + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.usefixtures("company")
def test_the_page_lists_five_reports(as_alice: Client, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_max_num_queries(16):
        response = as_alice.get(reverse("reports"))
    page = response.content.decode()
    for name in ("Board report", "Quarterly review", "Department report", "Campaign report", "Person record"):
        assert name in page
    assert "Claims" in page
    assert "Autumn awareness 2026" in page
    assert "Logo and color" not in page


@pytest.mark.usefixtures("company")
def test_reports_are_downloaded_and_recorded(as_alice: Client) -> None:
    subjects = {
        "board": None,
        "review": None,
        "department": Department.objects.get(name="Claims").pk,
        "campaign": Campaign.objects.all()[0].pk,
        "person": Person.objects.all()[0].pk,
    }
    for kind, subject in subjects.items():
        response = as_alice.get(reverse("report", args=[kind]), {"subject": subject} if subject else {})
        assert response.status_code == 200
        assert response["Content-Type"] == "application/pdf"
        assert response["Content-Disposition"].startswith("attachment; filename=")
        assert response["Cache-Control"] == "private, no-store"
        assert response.content.startswith(b"%PDF-1.7")
        event = AuditEvent.objects.filter(action="exported").latest("pk")
        assert event.details["report"] == kind
        assert len(event.details["sha256"]) == 64
        if subject:
            assert event.subject_id == subject


@pytest.mark.usefixtures("company")
def test_a_past_day_is_carried(as_alice: Client) -> None:
    page = as_alice.get(reverse("reports"), {"as_of": "2026-10-01"}).content.decode()
    assert '<input type="hidden" name="as_of" value="2026-10-01">' in page
    response = as_alice.get(reverse("report", args=["board"]), {"as_of": "2026-10-01"})
    assert "board-report-2026-10-01.pdf" in response["Content-Disposition"]


@pytest.mark.usefixtures("company")
@pytest.mark.parametrize(
    ("kind", "query", "status"),
    [
        ("nonsense", "", 404),
        ("department", "subject=999999", 404),
        ("person", "subject=999999", 404),
        ("campaign", "subject=999999", 404),
        ("person", "", 400),
        ("person", "subject=-1", 400),
        ("person", "subject=9999999999999999999", 400),
        ("person", "subject=²", 400),
        ("person", "subject=1%00", 400),
        ("review", "quarter=2026-08-01", 400),
        ("review", "quarter=never", 400),
        ("review", "quarter=1999-01-01", 400),
        ("review", "quarter=2999-01-01", 404),
    ],
)
def test_what_cannot_be_asked_for(as_alice: Client, kind: str, query: str, status: int) -> None:
    assert as_alice.get(f"{reverse('report', args=[kind])}?{query}").status_code == status


@pytest.mark.usefixtures("company")
def test_a_quarter_can_be_chosen(as_alice: Client) -> None:
    page = as_alice.get(reverse("reports")).content.decode()
    assert 'name="quarter"' in page
    response = as_alice.get(reverse("report", args=["review"]), {"quarter": "2026-01-01"})
    assert response["Content-Disposition"].startswith('attachment; filename="quarterly-review-q1-2026')


@pytest.mark.usefixtures("company")
def test_buttons_lead_to_reports(as_alice: Client) -> None:
    campaign, person = Campaign.objects.get(name="Autumn awareness 2026"), Person.objects.all()[0]
    department = Department.objects.get(name="Claims")
    for address, link in (
        (reverse("campaign", args=[campaign.pk]), f"/reports/campaign/?subject={campaign.pk}"),
        (reverse("person", args=[person.pk]), f"/reports/person/?subject={person.pk}"),
        (f"{reverse('past_due')}?department={department.pk}", f"/reports/department/?subject={department.pk}"),
        (reverse("review_quarter", args=[2026, 2]), "/reports/review/?quarter=2026-04-01"),
    ):
        assert link in as_alice.get(address).content.decode()


def test_whoever_has_nothing_here_gets_no_report(client: Client, charlie: object, company: Account) -> None:
    client.force_login(charlie)  # type: ignore[arg-type]
    assert client.get(reverse("report", args=["board"])).status_code in {403, 404}


def test_there_is_no_report_before_the_first_sync(as_alice: Client) -> None:
    assert as_alice.get(reverse("reports")).status_code == 302
    assert as_alice.get(reverse("report", args=["board"])).status_code == 302


# Logo and color -------------------------------------------------------------------------------------------------


def test_only_administrators_set_logo_and_color(as_alice: Client) -> None:
    assert as_alice.get(reverse("settings_branding")).status_code == 404
    assert as_alice.post(reverse("settings_branding"), {"color": "#112233"}).status_code == 404


@pytest.mark.parametrize("content", [GOOD.encode(), png()])
def test_a_logo_is_in_every_report(as_ines: Client, company: Account, content: bytes) -> None:
    logo = SimpleUploadedFile("logo", content)
    response = as_ines.post(reverse("settings_branding"), {"color": "#7A1F3D", "logo": logo}, follow=True)
    assert "Reports look so from now on." in response.content.decode()
    found = Branding.objects.get(account=company)
    assert found.color == "#7a1f3d"
    assert set(SettingChange.objects.values_list("field", flat=True)) == {"report_color", "report_logo"}
    shown = as_ines.get(reverse("settings_logo"))
    assert shown["Content-Type"] == "image/svg+xml"
    assert "sandbox" in shown["Content-Security-Policy"]
    assert as_ines.get(reverse("report", args=["board"])).content.startswith(b"%PDF")
    as_ines.post(reverse("settings_branding"), {"color": "#7a1f3d", "remove": "on"})
    assert Branding.objects.get(account=company).logo == ""
    assert as_ines.get(reverse("settings_logo")).status_code == 404


def test_a_logo_too_large_is_refused(as_ines: Client, published: object) -> None:
    logo = SimpleUploadedFile("logo.png", b"\x89PNG\r\n\x1a\n" + b"0" * 300_000)
    response = as_ines.post(reverse("settings_branding"), {"color": "#112233", "logo": logo})
    assert "larger than 200 kB" in response.content.decode()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"GIF89a", "neither SVG nor PNG"),
        (b"\xff\xfe", "neither SVG nor PNG"),
        (b"<html></html>", "neither SVG nor PNG"),
        (b"<svg", "neither SVG nor PNG"),
        (GOOD.replace("<path", "<script>alert(1)</script><path").encode(), "holds “script”"),
        (GOOD.replace("<path", "<style>*{}</style><path").encode(), "holds “style”"),
        (GOOD.replace("<path", "<text>a</text><path").encode(), "holds “text”"),
        (GOOD.replace("<path", '<image href="file:///etc/passwd"/><path').encode(), "holds “image”"),
        (GOOD.replace("<path", "<foreignObject/><path").encode(), "holds “foreignObject”"),
        (GOOD.replace("<path", '<path onload="alert(1)"').encode(), "a script or a link"),
        (GOOD.replace("fill:#112233", "fill:url(http://x.example/a)").encode(), "refers to another file"),
        (b'<!DOCTYPE svg [<!ENTITY a "b">]>' + GOOD.encode(), "entities or a document type"),
        (GOOD.replace("<path", '<clipPath id="a"><path d="M0 0h1v1z"/></clipPath><path').encode(), "holds “clipPath”"),
        (GOOD.replace("<path", '<path clip-path="url(#a)"').encode(), "holds “clip-path”"),
        (GOOD.replace("fill:", "clip-path:url(#a);fill:").encode(), "holds “clip-path”"),
        (GOOD.replace("<path", '<path mask="url(#a)"').encode(), "holds “mask”"),
        (GOOD.replace("<path", '<g filter="url(#a)"/><path').encode(), "holds “filter”"),
        (GOOD.replace("<path", '<path marker-mid="url(#a)"').encode(), "holds “marker-mid”"),
        (GOOD.replace("<path", "<pattern/><path").encode(), "holds “pattern”"),
        (GOOD.replace("<path", "<use/><path").encode(), "holds “use”"),
        (GOOD.replace("<path", '<linearGradient id="a" href="#a"/><path').encode(), "a script or a link"),
        (GOOD.replace("<path", f'<path d="{"M0 0h1" * 40_000}"/><path').encode(), "larger than 200 kB"),
        (png()[:-9], "damaged PNG"),
        (png(50_000, 1)[:33] + png()[33:], "pixels a side"),
        (png().replace(b"IDAT", b"IDAX"), "damaged PNG"),
        (png(5000, 1), "pixels a side"),
    ],
)
def test_what_no_logo_may_be(content: bytes, reason: str) -> None:
    with pytest.raises(RefusedError, match=reason):
        checked_logo(content)


def chained(levels: int) -> str:
    """Return a drawing that takes twice the time with each of its levels: a clip path cut twice by the one before."""
    paths = "".join(
        f'<clipPath id="c{n}" clip-path="url(#c{n - 1})"><path d="M0 0h9v9z" clip-path="url(#c{n - 1})"/></clipPath>'
        for n in range(1, levels)
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><clipPath id="c0"><path d="M0 0h9v9z"/></clipPath>'
        f'{paths}<path d="M0 0h9v9z" clip-path="url(#c{levels - 1})"/></svg>'
    )


def test_a_logo_of_before_is_left_out_when_it_is_none_any_more(as_ines: Client, company: Account) -> None:
    Branding.objects.create(account=company, logo=chained(30))
    assert as_ines.get(reverse("report", args=["board"])).content.startswith(b"%PDF")
    page = as_ines.get(reverse("settings_branding")).content.decode()
    assert "not drawn any more" in page
    assert "holds “clipPath”" in page
    assert as_ines.get(reverse("settings_logo")).status_code == 404
    as_ines.post(reverse("settings_branding"), {"color": "#7a1f3d"})
    assert Branding.objects.get(account=company).logo, "what an administrator did not remove is kept"
    assert 'name="remove"' in page
    as_ines.post(reverse("settings_branding"), {"color": "#7a1f3d", "remove": "on"})
    assert Branding.objects.get(account=company).logo == ""
    assert "not drawn any more" not in as_ines.get(reverse("settings_branding")).content.decode()


def test_a_logo_that_is_refused_is_said_to_be(as_ines: Client, company: Account) -> None:
    logo = SimpleUploadedFile("logo.svg", chained(14).encode())
    page = as_ines.post(reverse("settings_branding"), {"color": "#7a1f3d", "logo": logo}).content.decode()
    assert "The SVG holds “clipPath”: save it with paths and plain colors alone." in page
    assert not Branding.objects.filter(account=company).exists()


def test_a_picture_is_kept_without_what_is_beside_it() -> None:
    secret = b"tEXtAuthor\0Someone"
    note = struct.pack(">I", len(secret) - 4) + secret + struct.pack(">I", zlib.crc32(secret))
    assert checked_logo(png(extra=note)) == checked_logo(png())


def test_a_color_must_be_readable() -> None:
    assert checked_color(" #0C6663 ") == "#0c6663"
    assert round(contrast("#000000"), 1) == 21.0
    assert round(contrast("#ffffff"), 1) == 1.0
    for pale in ("#ffff00", "#8c8880"):
        with pytest.raises(RefusedError, match="too pale"):
            checked_color(pale)
    for wrong in ("red", "#12", "#12345g", "url(x)"):
        with pytest.raises(RefusedError, match="six digits"):
            checked_color(wrong)
