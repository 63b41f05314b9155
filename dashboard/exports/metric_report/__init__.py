"""Numbers as they leave the pages: what each is called and means, and how it is written."""
