"""Translate OCPP 2.1 payloads into events, and answer them. Pure; the twin of `v16` and `v201`, file by file.

Each file names what 2.1 says differently from 2.0.1, and takes the rest from `v201`.
"""
