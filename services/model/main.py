"""The model service, from its settings alone: `uvicorn services.model.main:app`."""

import sys

from prodigon_lib.core.errors import SettingsError
from prodigon_lib.model.app import create_app

try:
    app = create_app()
except SettingsError as error:
    sys.exit(f"model: {error.message}")
