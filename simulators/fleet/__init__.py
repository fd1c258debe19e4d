"""Pretend to be a fleet of charging stations, OCPP 1.6 and 2.0.1 mixed, that live by a seed.

Never imports the product: a fleet meets it on the wire only. `layout` says which stations there are, `behaviour` what
happens to them (both pure), `station16` and `station201` say it in OCPP, `station` lives one station's life on the
network, `journal` remembers what was said and answered, `fleet` runs them all, `control` answers questions over HTTP.
"""
