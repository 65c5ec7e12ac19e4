"""A teacher that reads a student's backpropagation through time.

`problem` has the right numbers, read off the graph; `backward` the textbook's recursion with places for
mistakes; `mistakes` the catalog of them; `compare` says what differs first, and which mistake gives exactly
that.
"""

from micrornn.grade.called import GradeError
from micrornn.grade.compare import Grade, grade
from micrornn.grade.files import check, grade_file

__all__ = ["Grade", "GradeError", "check", "grade", "grade_file"]
