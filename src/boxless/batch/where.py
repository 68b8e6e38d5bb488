"""Conditions on rows, as people write them: label = 'tabby' and activation > 5."""

from __future__ import annotations

import ast
import io
import operator
import tokenize
from collections.abc import Callable, Sequence
from functools import reduce
from typing import TYPE_CHECKING, Any

from boxless.errors import ResultsError, first_line

if TYPE_CHECKING:
    import pyarrow.compute as pc

_AS_IN_SQL = {"=": "==", "and": "and", "or": "or", "not": "not", "is": "is", "in": "in", "null": "None", "none": "None",
              "true": "True", "false": "False"}  # fmt: skip

_YES_OR_NO = ("detected",)
"""Columns that are conditions themselves."""

_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def condition(text: str, columns: Sequence[str]) -> pc.Expression:
    """A condition as an expression of PyArrow.

    Comparisons (= == != < <= > >=), `in ('a', 'b')`, `'cat' in label`, `is null`, and, or, not, brackets; a column
    alone means that there is a value (`error`), or that it is true (`present`). Upper and lower case of columns and of
    these words are alike. Nothing of it is run.

    Args:
        text: the condition.
        columns: that there are.

    Raises:
        ResultsError: if it is no condition, or names another column.
    """
    import pyarrow as pa

    try:
        tree = ast.parse(_as_python(text), mode="eval").body
    except (SyntaxError, ValueError, tokenize.TokenError):
        raise _unknown(text, "it is no condition", columns) from None
    try:
        return _Reader(columns).read(tree)
    except _UnknownError as error:
        raise _unknown(text, str(error), columns) from None
    except OverflowError:
        raise _unknown(text, "a number of more digits than a column has", columns) from None
    except (pa.ArrowException, UnicodeError) as error:  # a list of numbers and texts; bytes that are no text
        raise _unknown(text, first_line(error), columns) from None


class _UnknownError(Exception):
    pass


def _unknown(text: str, what: str, columns: Sequence[str]) -> ResultsError:
    return ResultsError(
        f"--where {text!r}: {what} (expected such as: label = 'tabby' and activation > 5; "
        f"columns: {', '.join(columns)})"
    )


class _Reader:
    def __init__(self, columns: Sequence[str]) -> None:
        self._columns = columns

    def read(self, node: ast.expr) -> pc.Expression:
        """A condition's expression."""
        if isinstance(node, ast.BoolOp):
            join = operator.and_ if isinstance(node.op, ast.And) else operator.or_
            return reduce(join, map(self.read, node.values))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return ~self.read(node.operand)
        if isinstance(node, ast.Name):
            column = self._column(node)
            return column if node.id.lower() in _YES_OR_NO else column.is_valid()
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            pairs = zip(sides, node.ops, sides[1:], strict=False)
            return reduce(operator.and_, (self._comparison(left, how, right) for left, how, right in pairs))
        raise _UnknownError(f"'{ast.unparse(node)}' is no comparison")

    def _comparison(self, left: ast.expr, how: ast.cmpop, right: ast.expr) -> pc.Expression:
        import pyarrow.compute as pc

        if isinstance(how, (ast.In, ast.NotIn)):
            if isinstance(right, (ast.Tuple, ast.List)):
                found = self._column(left).isin([self._value(each) for each in right.elts])
            else:
                found = pc.match_substring(self._column(right), str(self._value(left)), ignore_case=True)
            return ~found if isinstance(how, ast.NotIn) else found
        if isinstance(right, ast.Constant) and right.value is None:
            there = self._column(left).is_valid()
            return ~there if isinstance(how, (ast.Is, ast.Eq)) else there
        if type(how) not in _COMPARISONS:
            raise _UnknownError("'is' goes with null only")
        sides = [self._column(side) if isinstance(side, ast.Name) else self._value(side) for side in (left, right)]
        if not any(isinstance(side, ast.Name) for side in (left, right)):
            raise _UnknownError("a comparison without a column")
        return _COMPARISONS[type(how)](*sides)

    def _column(self, node: ast.expr) -> pc.Expression:
        import pyarrow.compute as pc

        if not isinstance(node, ast.Name):
            raise _UnknownError(f"'{ast.unparse(node)}' is no column")
        if node.id.lower() not in self._columns:
            raise _UnknownError(f"no column '{node.id}'")
        return pc.field(node.id.lower())

    def _value(self, node: ast.expr) -> str | float | bool:
        try:
            value = ast.literal_eval(node)
        except ValueError:
            raise _UnknownError(f"'{ast.unparse(node)}' is neither a column nor a value") from None
        if not isinstance(value, (str, int, float, bool)):
            raise _UnknownError(f"'{ast.unparse(node)}' is no text and no number")
        return value


def _as_python(text: str) -> str:
    """With what SQL writes in other words as Python writes it; quoted text stays."""
    tokens = tokenize.generate_tokens(io.StringIO(text.strip()).readline)
    return " ".join(_AS_IN_SQL.get(token.string.lower(), token.string) for token in tokens).strip()
