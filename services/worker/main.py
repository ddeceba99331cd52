"""The worker, from its settings alone: `uvicorn services.worker.main:app`."""

import sys

from prodigon_lib.core.errors import SettingsError
from prodigon_lib.worker.app import create_app

try:
    app = create_app()
except SettingsError as error:
    sys.exit(f"worker: {error.message}")
