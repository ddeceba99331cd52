"""Exercise 10.2: files, and nothing but these files.

`GET /files/{name}` gives out what lies in one folder, and in the folders within it. Done when

- an ordinary file comes as it is, whatever its name: spaces, accents, a percent sign, two dots;
- a link works while what it leads to lies in the folder;
- no name gets anything else out: not by `..`, an absolute path or a link, however it is written;
- all else is 404, a folder and a pipe too, and what lies outside answers as what is nowhere does, so that
  nobody can draw a map of the disk; a name with U+0000, which no file can have, is 400; nothing is a 500.
"""

from pathlib import Path

from fastapi import FastAPI, HTTPException
from starlette.responses import FileResponse


def file_in(root: Path, name: str) -> Path:
    """The file of that name, which lies in `root`.

    Raises:
        HTTPException: 404 when there is none, 400 when there can be none.
    """
    # <gap> Find what the name leads to in the end, then look where that lies and what it is.
    # | return root / name
    # The server has decoded the name, once. To decode it again, or to search it for "..", is to guess what
    # the file system makes of it: ask that. A table of the names that may be read needs no path at all.
    if "\0" in name:
        raise HTTPException(400, "no file has such a name")
    try:
        found = (root / name).resolve(strict=True)
        # As paths, part by part: `/files-of-others` begins with `/files` as a text, and lies elsewhere.
        if found.is_relative_to(root.resolve()) and found.is_file():
            return found
    except (OSError, RuntimeError):  # too long, a link that leads to itself, a file taken for a folder
        pass
    raise HTTPException(404, "there is no such file")
    # </gap>


def create_app(root: Path) -> FastAPI:
    app = FastAPI()

    @app.get("/files/{name:path}")
    async def read(name: str) -> FileResponse:
        return FileResponse(file_in(root, name))

    return app
