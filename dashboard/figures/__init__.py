"""The one engine that reads figures: what is selected, whether tallies answer it, and counts at moments."""
