"""Loads an exercise by its path, from its text as it is now."""

import importlib.util
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType


class FreshLoader(SourceFileLoader):
    """Compiles the source each time: a cached `.pyc` misses an edit within the second it was written in.

    What can't be compiled is a `SyntaxError`.
    """

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        try:
            return self.source_to_code(self.get_data(path), path)
        except (SyntaxError, ValueError) as error:
            if isinstance(error, SyntaxError) and error.filename:
                raise
            raise SyntaxError(str(error), (path, 1, 1, None)) from None  # a null byte: it has no place


def load_module(path: Path) -> ModuleType:
    """Execute the file as a module named for it, importable under that name by processes it starts.

    Raises:
        ValueError: the name is a module's of the standard library, or is imported already.
        BaseException: whatever the file raises.
    """
    name = path.stem
    if name in sys.stdlib_module_names or name in sys.modules:
        raise ValueError(f"{name} is another module's name")
    spec = importlib.util.spec_from_file_location(name, path, loader=FreshLoader(name, str(path)))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    module.__dict__["__exercise__"] = str(path)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module
