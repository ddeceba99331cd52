"""Gateway, model and worker in one process, from their settings: `uvicorn services.monolith.main:app`."""

import sys

from prodigon_lib.core.errors import SettingsError
from prodigon_lib.core.limits import spare_the_collector
from prodigon_lib.monolith.app import create_app

try:
    app = create_app()
except SettingsError as error:
    sys.exit(f"monolith: {error.message}")
spare_the_collector()
