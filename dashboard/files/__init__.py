"""Files that are made here and handed out: exports, evidence packs, and what mailed links lead to."""
