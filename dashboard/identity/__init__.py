"""Signing in: passwords, second factors, passkeys, single sign-on; by invitation only."""
