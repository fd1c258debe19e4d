"""Speak OCPP with charging stations: accept, authenticate, answer, ask.

Knows no hub, no SQL and nothing of `bridge`. A host supplies what `ports` names and receives what `events` names.
"""
