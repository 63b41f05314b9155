"""What stands around every page: middleware, headers, error answers, styles and template tags."""
