"""People whom Rollcall erased stay erased, whatever KnowBe4 still says of them."""

from datetime import timedelta

from sync.models import Change, Enrollment, Person


def test_a_sync_does_not_write_again_who_an_erased_person_is(connected, run, simulator, now):
    run()
    one = Person.objects.filter(account=connected, removed_at=None, manager__isnull=False).order_by("pk")[0]
    kept = (one.department_id, one.manager_id, one.status)
    Person.objects.filter(pk=one.pk).update(**dict.fromkeys(Person.PERSONAL, ""), erased_at=now)
    count = Enrollment.objects.filter(person=one).count()
    simulator.clock.set(now + timedelta(days=1))
    assert run().state == "published"
    one.refresh_from_db()
    assert {getattr(one, name) for name in Person.PERSONAL} == {""}
    assert (one.department_id, one.manager_id, one.status) == kept
    assert Enrollment.objects.filter(person=one).count() >= count > 0
    said = Change.objects.filter(account=connected, subject=Change.Subject.PERSON, subject_id=one.pk)
    assert not said.filter(field__in=Person.PERSONAL).exists()
