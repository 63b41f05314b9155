"""The people KnowBe4 trains, and how they are grouped."""

from typing import ClassVar

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Left, Upper

# How a department's text is shown, and the key it has (definitions, "People and organization"), as SQL around the text.
DEPARTMENT_SPELLING = r"btrim(regexp_replace({}, '\s+', ' ', 'g'))"
DEPARTMENT_KEY = f"lower({DEPARTMENT_SPELLING})"


class Department(models.Model):
    """A department: all spellings that differ only in case and spaces.

    `key` is the spelling trimmed, inner spaces collapsed, lower case; blank is "No department". `name` is the most
    frequent spelling among active people. An administrator may merge one department into another here; KnowBe4 is
    not touched.
    """

    account = models.ForeignKey("sync.Account", on_delete=models.PROTECT, db_index=False)
    key = models.TextField(blank=True)
    name = models.TextField(blank=True)
    merged_into = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="spellings")
    vacated_at = models.DateTimeField(
        null=True, help_text="Since when nobody active is under this name; null: somebody is."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "key"], name="department_key_unique"),
            models.CheckConstraint(
                condition=models.Q(merged_into__isnull=True) | ~models.Q(merged_into=models.F("id")),
                name="department_not_merged_into_itself",
            ),
        ]

    def __str__(self) -> str:
        return self.name or "No department"


class PersonStatus(models.TextChoices):
    """KnowBe4's user states, and one for people it names in an enrollment but no longer lists."""

    ACTIVE = "active", "Active"
    ARCHIVED = "archived", "Archived"
    UNLISTED = "unlisted", "No longer listed"


class Person(models.Model):
    """Someone KnowBe4 trains. A `User` signs in; a person need not."""

    account = models.ForeignKey("sync.Account", on_delete=models.PROTECT, db_index=False)
    knowbe4_id = models.BigIntegerField()
    email = models.TextField(blank=True)
    first_name = models.TextField(blank=True)
    last_name = models.TextField(blank=True)
    employee_number = models.TextField(blank=True)
    job_title = models.TextField(blank=True)
    location = models.TextField(blank=True)
    division = models.TextField(blank=True)
    organization = models.TextField(blank=True)
    language = models.TextField(blank=True)
    status = models.TextField(choices=PersonStatus.choices)
    joined_at = models.DateTimeField(null=True, blank=True)
    employee_start_date = models.DateField(null=True, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)
    last_sign_in_at = models.DateTimeField(null=True, blank=True)
    current_risk_score = models.FloatField(null=True, blank=True)
    phish_prone_percentage = models.FloatField(null=True, blank=True, help_text="Percent: 14.2 is 14.2 %.")

    department_name = models.TextField(blank=True, help_text="As KnowBe4 spells it.")
    manager_name = models.TextField(blank=True)
    manager_email = models.TextField(blank=True)

    # Derived at publish.
    department = models.ForeignKey(Department, null=True, on_delete=models.PROTECT, related_name="people")
    manager = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="reports")

    first_seen_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)
    erased_at = models.DateTimeField(
        null=True, blank=True, help_text="Whoever this was is forgotten: no sync writes who it is again."
    )

    # Last and first name, email and employee number without case and accents, each word after a blank: what a search
    # looks through, and the order of lists. `folded` is a function of the database, for what is typed, too.
    searchable = models.GeneratedField(
        expression=models.Func(
            *map(models.F, ("last_name", "first_name", "email", "employee_number")),
            template="(' ' || folded(%(expressions)s))",
            arg_joiner=" || ' ' || ",
        ),
        output_field=models.TextField(),
        db_persist=True,
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "knowbe4_id"], name="person_knowbe4_id_unique")]
        indexes = [
            models.Index("account", Upper("email"), name="person_email"),
            GinIndex(fields=["searchable"], opclasses=["gin_trgm_ops"], name="person_searchable"),
            # No more of it than an index holds, whatever the characters.
            models.Index("account", Left("searchable", 80), "id", name="person_by_name"),
        ]

    # What tells who somebody is: gone when they are erased, and with it what Change remembers of these.
    PERSONAL: ClassVar[tuple[str, ...]] = (
        *("email", "first_name", "last_name", "employee_number", "job_title", "location", "division", "organization"),
        *("language", "department_name", "manager_name", "manager_email"),
    )

    def __str__(self) -> str:
        return self.full_name or self.email or f"Person {self.knowbe4_id if self.erased_at is None else self.pk}"

    @property
    def full_name(self) -> str:
        """First and last name, without blanks at the ends when one is missing."""
        return f"{self.first_name} {self.last_name}".strip()


class Group(models.Model):
    """A KnowBe4 group; 0 is its pseudo group "All Users", named by campaigns but never listed."""

    account = models.ForeignKey("sync.Account", on_delete=models.PROTECT, db_index=False)
    knowbe4_id = models.BigIntegerField()
    name = models.TextField(blank=True)
    group_type = models.TextField(blank=True)
    status = models.TextField(blank=True)
    member_count = models.BigIntegerField(null=True, blank=True)
    members = models.ManyToManyField(Person, through="GroupMembership", related_name="groups")
    first_seen_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)
    vacated_at = models.DateTimeField(null=True, help_text="Since when nobody active is in it; null: somebody is.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "knowbe4_id"], name="group_knowbe4_id_unique")]

    def __str__(self) -> str:
        return self.name or f"Group {self.knowbe4_id}"


class GroupMembership(models.Model):
    """Membership of a person in a group, since when Rollcall saw it and until when."""

    account = models.ForeignKey("sync.Account", on_delete=models.PROTECT, db_index=False)
    group = models.ForeignKey(Group, on_delete=models.PROTECT, db_index=False)
    person = models.ForeignKey(Person, on_delete=models.PROTECT)
    first_seen_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["group", "person"], name="membership_unique")]

    def __str__(self) -> str:
        return f"{self.person_id} in {self.group_id}"
