"""By os.path: the real path, and what it has in common with the folder."""

import os
from pathlib import Path

from fastapi import FastAPI, HTTPException
from starlette.responses import FileResponse


def file_in(root: Path, name: str) -> Path:
    if "\0" in name:
        raise HTTPException(400, "no file has such a name")
    home, found = os.path.realpath(root), os.path.realpath(root / name)
    if os.path.commonpath([home, found]) == home and os.path.isfile(found):
        return Path(found)
    raise HTTPException(404, "there is no such file")


def create_app(root: Path) -> FastAPI:
    app = FastAPI()

    @app.get("/files/{name:path}")
    async def read(name: str) -> FileResponse:
        return FileResponse(file_in(root, name))

    return app
