"""Settings: which campaigns count, which departments are one, who is exempt, what rate is aimed at, and the log of it.

Whoever sees everybody may read; who may decide is the scope's word. For anybody else these pages do not exist.
"""
