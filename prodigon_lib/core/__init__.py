"""What every other layer stands on: settings, errors, wire schemas, logging, telemetry.

Imports nothing else of the library.
"""
