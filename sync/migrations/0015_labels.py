"""Labels of content types and of the rules that give due dates, for every list that names one."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("sync", "0014_vacancies"),
    ]

    operations = [
        migrations.AlterField(
            model_name="contentitem",
            name="content_type",
            field=models.CharField(
                choices=[
                    ("Training Module", "Training module"),
                    ("Video", "Video"),
                    ("Game", "Game"),
                    ("Assessment", "Assessment"),
                    ("Policy", "Policy"),
                    ("Newsletter", "Newsletter"),
                    ("Poster", "Poster"),
                    ("Other", "Other"),
                ],
                max_length=20,
            ),
        ),
        migrations.AlterField(
            model_name="enrollment",
            name="due_source",
            field=models.CharField(
                choices=[
                    ("extension", "Extended, from the console’s export"),
                    ("campaign_end", "Campaign end"),
                    ("relative", "Counted from enrollment"),
                    ("observed", "First seen past due"),
                    ("hidden_extension", "Extended in KnowBe4; new date not published"),
                    ("none", "No deadline"),
                ],
                max_length=20,
            ),
        ),
    ]
