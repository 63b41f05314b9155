"""A KnowBe4 that runs here: an invented company whose state follows from seed, size and time, served over HTTP."""
