"""The local stack's identity provider: who do you want to be? OpenID Connect, and no passwords.

It exists so that the console signs in here exactly as it does in production.
"""
