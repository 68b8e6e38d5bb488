"""Conditions on rows, as people write them: label = 'tabby' and activation > 5."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import reduce
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from boxless.errors import ResultsError, first_line

if TYPE_CHECKING:
    import pyarrow as pa

_AS_IN_SQL = {"=": "==", "and": "and", "or": "or", "not": "not", "is": "is", "in": "in", "null": "None", "true": "True",
              "false": "False"}  # fmt: skip

_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Eq: "equal",
    ast.NotEq: "not_equal",
    ast.Lt: "less",
    ast.LtE: "less_equal",
    ast.Gt: "greater",
    ast.GtE: "greater_equal",
}
"""By the names that PyArrow's functions have."""


def condition(text: str, empty: pa.Table) -> Callable[[pa.Table], pa.Table]:
    """A condition as a filter of tables.

    A condition is a Python expression, which is parsed and not run: comparisons of columns and values (= == != < <= >
    >=), `label in ('a', 'b')`, `'cat' in label`, `error is null`, and, or, not, parentheses. A column of yes and no is
    a condition itself (`detected`); another one alone means that there is a value (`error`).

    Args:
        text: the condition.
        empty: a table with the columns that there are, and no rows.

    Returns:
        Gives the rows of a table that fit; where a value is missing, a comparison with it does not.

    Raises:
        ResultsError: if it is no condition, or names another column.

    Example:
        >>> import pyarrow as pa
        >>> table = pa.table({"label": ["tabby", "cup"], "activation": [7.5, 4.0]})
        >>> condition("label = 'tabby' and activation > 5", table[:0])(table).num_rows
        1
    """
    try:
        tree = ast.parse(_as_python(text), mode="eval").body
        _mask(tree, empty)  # types are wrong now or never
    except (RecursionError, MemoryError):
        problem = "nested too deeply"
    # Of Python's parser; of PyArrow, which compares a number with no text; ours.
    except Exception as error:
        problem = first_line(getattr(error, "msg", error))
    else:
        return lambda table: table.filter(_mask(tree, table))
    shown = text if len(text) <= 200 else f"{text[:200]}..."
    raise ResultsError(
        f"--where {shown!r}: {problem} (expected such as: label = 'tabby' and activation > 5; columns: "
        f"{', '.join(empty.column_names)})"
    )


def _as_python(text: str) -> str:
    """With what SQL writes in other words as Python writes it; quoted text stays."""
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text.strip()).readline))
    except tokenize.TokenError:
        raise ValueError("brackets that do not match") from None
    if any(token.type == tokenize.ERRORTOKEN and token.string in "'\"" for token in tokens):
        raise ValueError("a quote that is not closed")
    if any(token.type == tokenize.COMMENT for token in tokens):
        raise ValueError("# outside of quotes")
    for one, other in pairwise(tokens):
        if one.type == other.type == tokenize.STRING:
            raise ValueError(f'{one.string}{other.string}: two texts in a row (expected "it\'s" for a quote in a text)')
    return " ".join(_AS_IN_SQL.get(token.string.lower(), token.string) for token in tokens).strip()


def _mask(node: ast.expr, table: pa.Table) -> Any:  # noqa: ANN401 (PyArrow has no types)
    """Which rows fit: an array of booleans, null where that is not known."""
    import pyarrow.compute as pc

    if isinstance(node, ast.BoolOp):
        join = pc.and_kleene if isinstance(node.op, ast.And) else pc.or_kleene
        return reduce(join, (_mask(each, table) for each in node.values))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return pc.invert(_mask(node.operand, table))
    if isinstance(node, ast.Name):
        column = _column(node, table)
        return column if str(column.type) == "bool" else pc.is_valid(column)
    if isinstance(node, ast.Compare):
        return reduce(pc.and_kleene, _comparisons(node, table))
    raise ValueError(f"'{ast.unparse(node)}' is no comparison")


def _comparisons(node: ast.Compare, table: pa.Table) -> Iterator[Any]:
    import pyarrow as pa
    import pyarrow.compute as pc

    for (left, right), how in zip(pairwise([node.left, *node.comparators]), node.ops, strict=True):
        if isinstance(how, ast.In | ast.NotIn):
            if not isinstance(right, ast.Name):
                column = _column(left, table)
                listed = right.elts if isinstance(right, ast.Tuple | ast.List) else [right]
                values = pa.array([_value(each) for each in listed]).cast(column.type)
                found = pc.if_else(pc.is_valid(column), pc.is_in(column, values), None)
            else:
                found = pc.match_substring(_column(right, table), str(_value(left)), ignore_case=True)
            yield pc.invert(found) if isinstance(how, ast.NotIn) else found
        elif isinstance(right, ast.Constant) and right.value is None:
            column = _column(left, table)
            yield pc.is_null(column) if isinstance(how, ast.Is | ast.Eq) else pc.is_valid(column)
        elif type(how) not in _COMPARISONS:
            raise ValueError("'is' goes with null only")
        elif not isinstance(left, ast.Name) and not isinstance(right, ast.Name):
            raise ValueError("a comparison without a column")
        else:
            sides = [_column(each, table) if isinstance(each, ast.Name) else _value(each) for each in (left, right)]
            try:
                yield getattr(pc, _COMPARISONS[type(how)])(*sides)
            except pa.ArrowNotImplementedError:
                pair = f"{ast.unparse(left)} and {ast.unparse(right)}"
                raise ValueError(f"{pair} cannot be compared: one is a text, the other none") from None


def _column(node: ast.expr, table: pa.Table) -> Any:  # noqa: ANN401
    if not isinstance(node, ast.Name):
        raise ValueError(f"'{ast.unparse(node)}' is no column")
    if node.id.lower() not in table.column_names:
        raise ValueError(f"no column '{node.id}'")
    return table[node.id.lower()]


def _value(node: ast.expr) -> str | float | bool:
    with suppress(ValueError):
        value = ast.literal_eval(node)
        if isinstance(value, str | int | float | bool):
            return value
    raise ValueError(f"'{ast.unparse(node)}' is no column, no text and no number")
