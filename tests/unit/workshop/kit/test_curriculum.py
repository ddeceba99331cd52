"""Lessons and exercises are found by the names of files."""

from pathlib import Path

import pytest

from prodigon_lib.workshop.curriculum import Curriculum
from prodigon_lib.workshop.faults import WorkshopError
from tests.demonstration.curriculum import demonstration

MODULE = '"""A title."""\nHINTS = ("a", "b", "c")\n'


def curriculum_of(folder: Path, module: str, package: str = '"""A lesson."""\n') -> Curriculum:
    lesson = folder / "lessons" / "lesson_03_some_topic"
    lesson.mkdir(parents=True)
    (lesson / "__init__.py").write_text(package)
    (lesson / "exercise_2_some_name.py").write_text(module)
    return Curriculum("lessons", folder / "lessons", folder / "exercises", folder / "solutions")


def test_an_exercise_is_described_without_importing_it(tmp_path: Path) -> None:
    curriculum = curriculum_of(tmp_path, MODULE + "raise RuntimeError\n")
    (exercise,) = curriculum.select()
    assert exercise.number == "3.2"
    assert exercise.title == "A title"
    assert exercise.hints == ("a", "b", "c")
    assert exercise.key == "03_some_topic/some_name.py"
    assert exercise.module == "lessons.lesson_03_some_topic.exercise_2_some_name"
    assert curriculum.answer(exercise) == tmp_path / "exercises" / "03_some_topic" / "some_name.py"
    assert curriculum.import_root == tmp_path


def test_a_file_may_have_another_name(tmp_path: Path) -> None:
    curriculum = curriculum_of(tmp_path, MODULE + 'FILE: str = "chat_v2.proto"\n')
    assert curriculum.exercise("3.2").key == "03_some_topic/chat_v2.proto"


@pytest.mark.parametrize(
    ("module", "message"),
    [
        ('HINTS = ("a", "b", "c")\n', "the docstring's first line must be the title"),
        ('"""T."""\n', "HINTS must be a tuple of three strings"),
        ('"""T."""\nHINTS = ("a", "b")\n', "HINTS must be a tuple of three strings"),
        ('"""T."""\nHINTS = tuple("abc")\n', "HINTS must be written out"),
    ],
)
def test_a_misshapen_module_is_named(tmp_path: Path, module: str, message: str) -> None:
    with pytest.raises(WorkshopError, match=message):
        curriculum_of(tmp_path, module).select()


def test_a_lesson_needs_a_title(tmp_path: Path) -> None:
    with pytest.raises(WorkshopError, match="first line must be the title"):
        curriculum_of(tmp_path, MODULE, package="").select()


def test_exercises_are_selected_by_number_lesson_or_not_at_all() -> None:
    curriculum = demonstration()
    numbers = {
        selection: [each.number for each in curriculum.select(selection)]
        for selection in ("1.2", "1", 1, None)
    }
    assert numbers == {
        "1.2": ["1.2"],
        "1": ["1.1", "1.2", "1.3"],
        1: ["1.1", "1.2", "1.3"],
        None: ["1.1", "1.2", "1.3"],
    }


def test_the_lessons_of_the_library_are_well_formed() -> None:
    curriculum = Curriculum.default()
    assert curriculum.import_root.joinpath("prodigon_lib", "workshop").is_dir()
    numbers = [exercise.number for exercise in curriculum.select()]
    assert len(set(numbers)) == len(numbers)
