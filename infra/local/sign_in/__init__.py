"""Identity provider of the local stack: OpenID Connect without passwords.

With it the console signs in here exactly as it does in production.
"""
