"""Passwords of tests: hashed as in production, at the least cost there is."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class QuickArgon2PasswordHasher(Argon2PasswordHasher):
    """Argon2 that takes a hundredth of the time: a fifth of a second for each try adds up in a suite."""

    time_cost, memory_cost, parallelism = 1, 8, 1
