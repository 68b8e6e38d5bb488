"""Arguments of functions that scripts call, compared with the types that they declare, before there is any work."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Mapping, Sequence, Set
from functools import wraps
from inspect import signature
from numbers import Integral, Real
from pathlib import Path
from types import SimpleNamespace, UnionType
from typing import Any, Literal, ParamSpec, TypeVar, Union, get_args, get_origin, get_type_hints

from boxless.errors import ArgumentError

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

_WORDS: dict[Any, str] = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "True or False",
    Path: "a path",
    type(None): "None",
    tuple[int, int]: "(height, width)",
}


def checked(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Makes a function refuse arguments of other types than it declares.

    Example:
        >>> @checked
        ... def double(count: int) -> int:
        ...     return 2 * count
        >>> double("3")
        Traceback (most recent call last):
        boxless.errors.ArgumentError: double: count is '3' (expected a whole number)
    """

    @wraps(function)
    def checking(*arguments: Arguments.args, **named: Arguments.kwargs) -> Result:
        check_arguments(function, signature(function).bind(*arguments, **named).arguments)
        return function(*arguments, **named)

    return checking


def check_arguments(function: Callable[..., Any], given: Mapping[str, object]) -> None:
    """Raises ArgumentError for the first argument, by name, of another type than a function or data class declares.

    Whole numbers are numbers too, texts are paths, and lists are tuples. What has no simple type is let pass.
    """
    # Without the result's, which may be imported for type checkers only.
    declared = {name: kind for name, kind in function.__annotations__.items() if name in given and name != "return"}
    names = vars(sys.modules[function.__module__])
    for name, kind in get_type_hints(SimpleNamespace(__annotations__=declared), names).items():
        if not _fits(given[name], kind):
            found = repr(given[name])
            found = found if len(found) <= 100 else f"{found[:100]}..."
            raise ArgumentError(f"{function.__name__}: {name} is {found} (expected {_in_words(kind)})")


def _fits(value: Any, kind: Any) -> bool:  # noqa: ANN401
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return any(_fits(value, each) for each in parts)
    if origin is Literal:
        return value in parts
    if origin is tuple:
        whole = isinstance(value, tuple | list) and (parts[-1] is ... or len(value) == len(parts))
        return whole and all(_fits(each, parts[0]) for each in value)
    if origin is Sequence:
        listed = isinstance(value, Collection) and not isinstance(value, str | bytes | Mapping | Set)
        return listed and all(_fits(each, parts[0]) for each in value)
    if origin is Callable:
        return callable(value)
    if kind in (int, float):
        return isinstance(value, Integral if kind is int else Real) and not isinstance(value, bool)
    if kind is Path:
        return isinstance(value, str | Path)
    return kind is Any or not isinstance(kind, type) or isinstance(value, kind)


def _in_words(kind: Any) -> str:  # noqa: ANN401
    origin, parts = get_origin(kind), get_args(kind)
    if kind in _WORDS:
        return _WORDS[kind]
    if origin in (Union, UnionType):
        return " or ".join(map(_in_words, parts))
    if origin is Literal:
        return " or ".join(map(repr, parts))
    if origin in (tuple, Sequence):
        return "a list" if parts[0] is Any else f"a list, each item {_in_words(parts[0])}"
    return "a function" if origin is Callable else f"a {kind.__name__}"
