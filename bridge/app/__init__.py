"""Put the parts together: the one place where settings become options and everything meets everything.

`serve.serve` runs the bridge until it is told to stop; `stopped.stopped` opens a stopped bridge's store for the
command line, without the OCPP side. The parts receive what they need as arguments and know nothing of each other.
"""
