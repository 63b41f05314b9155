"""How people get in: passwords, second factors, passkeys, single sign-on; by invitation only."""
