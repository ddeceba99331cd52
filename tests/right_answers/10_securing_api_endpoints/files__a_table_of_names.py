"""Only names that a walk through the folder finds: no name is ever joined to a path."""

import os
from pathlib import Path

from fastapi import FastAPI, HTTPException
from starlette.responses import FileResponse


def names(root: Path) -> dict[str, Path]:
    home, found = root.resolve(), {}
    for folder, _, files in os.walk(home):
        for file in files:
            path = Path(folder, file)
            real = Path(os.path.realpath(path))
            if real.is_relative_to(home) and real.is_file():
                found[str(path.relative_to(home))] = real
    return found


def create_app(root: Path) -> FastAPI:
    app = FastAPI()

    @app.get("/files/{name:path}")
    def read(name: str) -> FileResponse:
        if "\0" in name:
            raise HTTPException(400, "no file has such a name")
        if path := names(root).get(name):
            return FileResponse(path)
        raise HTTPException(404, "there is no such file")

    return app
