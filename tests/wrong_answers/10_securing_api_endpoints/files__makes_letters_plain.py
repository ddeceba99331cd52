# fails: ways out
import unicodedata
from pathlib import Path

from fastapi import FastAPI, HTTPException
from starlette.responses import FileResponse


def file_in(root: Path, name: str) -> Path:
    if "\0" in name:
        raise HTTPException(400, "no file has such a name")
    if ".." in name.split("/") or name.startswith("/"):
        raise HTTPException(404, "there is no such file")
    found = root / unicodedata.normalize("NFKC", name)
    try:
        if found.is_file():
            return found
    except OSError:
        pass
    raise HTTPException(404, "there is no such file")


def create_app(root: Path) -> FastAPI:
    app = FastAPI()

    @app.get("/files/{name:path}")
    async def read(name: str) -> FileResponse:
        return FileResponse(file_in(root, name))

    return app
