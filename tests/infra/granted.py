"""Compute the variables and secrets that a deployment grants to each function."""

from collections.abc import Mapping

from infra import deployment


def grant_settings(name: str, settings: Mapping[str, str]) -> dict[str, str]:
    """Return what a function gets of the settings; infra/terraform/functions.tf grants the same.

    `settings` holds the values of secrets too. tests/infra/test_terraform.py compares the two.
    """
    trust = deployment.load_function_map().functions[name].trust
    listed = deployment.load_setting_list()
    if trust == "nobody":
        return {}
    granted: dict[str, str] = {}
    if trust not in listed.secret["WEBHOOK_SECRET"]:
        granted |= listed.placeholders
    if trust == "page" and "AUTH_HS256_SECRET" in settings:
        granted["AUTH_HS256_SECRET"] = listed.placeholders["WEBHOOK_SECRET"]
    for setting, value in settings.items():
        if trust in listed.secret.get(setting, ()) or setting not in listed.secret:
            granted[setting] = value
    return granted
