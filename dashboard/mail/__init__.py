"""Reports that go out by mail on their days: when they are due, what each recipient gets, and handing it over.

`occurrences` knows the days, `composing` makes one recipient's copy in that recipient's own scope, `handing_over`
talks to the mail server, `sending` puts the three together so that no mail goes out twice. See docs/schedules.md.
"""
