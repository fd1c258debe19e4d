"""Translate OCPP 2.0.1 payloads into events, and answer them. Pure; the twin of `v16` and `v21`, file by file."""
