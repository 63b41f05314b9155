import django.contrib.postgres.indexes
import django.db.models.functions.text
from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations, models

# Built of what Postgres has anyway, all of it immutable, so that an index may hold it; it refers to nothing by name,
# so a restored dump has it, too.
FOLDED = r"""
CREATE FUNCTION folded(words text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS $$
    SELECT replace(replace(replace(replace(
        translate(regexp_replace(normalize(lower(words), NFKD), '[\u0300-\u036f]', '', 'g'), 'øłđðıħŧ', 'olddiht'),
        'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th')
$$
"""


class Migration(migrations.Migration):
    dependencies = [
        ("sync", "0007_moments"),
    ]

    operations = [
        # A trusted extension: the owner of the database may create it.
        TrigramExtension(),
        migrations.RunSQL(FOLDED, "DROP FUNCTION folded(text)"),
        migrations.AddField(
            model_name="person",
            name="searchable",
            field=models.GeneratedField(
                db_persist=True,
                expression=models.Func(
                    models.F("last_name"),
                    models.F("first_name"),
                    models.F("email"),
                    models.F("employee_number"),
                    arg_joiner=" || ' ' || ",
                    template="(' ' || folded(%(expressions)s))",
                ),
                output_field=models.TextField(),
            ),
        ),
        migrations.AddIndex(
            model_name="person",
            index=django.contrib.postgres.indexes.GinIndex(
                fields=["searchable"], name="person_searchable", opclasses=["gin_trgm_ops"]
            ),
        ),
        migrations.AddIndex(
            model_name="person",
            index=models.Index(
                models.F("account"),
                django.db.models.functions.text.Left("searchable", 80),
                models.F("id"),
                name="person_by_name",
            ),
        ),
    ]
