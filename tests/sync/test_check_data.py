"""manage.py check_data: what must hold, and what is merely odd."""

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from sync.models import Enrollment

pytestmark = pytest.mark.slow


def test_a_synced_company_holds(run, capsys):
    run()
    call_command("check_data")
    out = capsys.readouterr().out
    hidden = Enrollment.objects.filter(due_source="hidden_extension").count()
    assert f"{hidden:>9,}  enrollments extended in KnowBe4 to an unknown date" in out
    assert "Every reference holds." in out


def test_a_reference_that_leads_nowhere_is_an_error(run, capsys):
    run()
    Enrollment.objects.filter(pk=Enrollment.objects.first().pk).update(content_id=10**12)
    with pytest.raises(CommandError, match="1 references lead nowhere"):
        call_command("check_data")
    assert "enrollments of content that is not there" in capsys.readouterr().out


def test_an_unknown_status_is_counted(run, capsys):
    run()
    before = Enrollment.objects.filter(removed_at=None).first()
    Enrollment.objects.filter(pk=before.pk).update(reported_status="Exempted")
    call_command("check_data")
    assert f"{1:>9,}  enrollments with a status nobody knows" in capsys.readouterr().out
