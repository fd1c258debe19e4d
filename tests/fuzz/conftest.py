"""Lend the fuzzers the site of the integration tests."""

from tests.integration.csms.conftest import site_of

__all__ = ["site_of"]
