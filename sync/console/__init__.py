"""The training CSV that KnowBe4's console exports: decoding, columns, dates and words. Knows no Django model.

The console writes the file in the language of whoever exports it (KnowBe4's help center: "Downloaded reports will be
in the language of the user who initiated the download"), and its column names have changed over the years. Nothing
here trusts a name or a date order that the file does not prove; what cannot be known is asked for.
"""
