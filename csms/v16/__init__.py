"""Translate OCPP 1.6 payloads into events, and answer them. Pure; the twin of `v201` and `v21`, file by file."""
