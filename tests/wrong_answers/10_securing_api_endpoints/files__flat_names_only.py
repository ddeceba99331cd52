# fails: ordinary files
from pathlib import Path

from fastapi import FastAPI, HTTPException
from starlette.responses import FileResponse


def file_in(root: Path, name: str) -> Path:
    if "\0" in name:
        raise HTTPException(400, "no file has such a name")
    try:
        found = (root / Path(name).name).resolve(strict=True)
        if found.is_relative_to(root.resolve()) and found.is_file():
            return found
    except (OSError, RuntimeError):
        pass
    raise HTTPException(404, "there is no such file")


def create_app(root: Path) -> FastAPI:
    app = FastAPI()

    @app.get("/files/{name:path}")
    async def read(name: str) -> FileResponse:
        return FileResponse(file_in(root, name))

    return app
