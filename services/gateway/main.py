"""The gateway, from its settings alone: `uvicorn services.gateway.main:app`."""

import sys

from prodigon_lib.core.errors import SettingsError
from prodigon_lib.core.limits import spare_the_collector
from prodigon_lib.gateway.app import create_app

try:
    app = create_app()
except SettingsError as error:
    sys.exit(f"gateway: {error.message}")
spare_the_collector()
