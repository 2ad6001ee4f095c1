"""Formulas that people write into an analysis: "2e3*(1 - z/h)".

    comparison := sum [("<" | "<=" | ">" | ">=" | "==" | "!=") sum]        1 where it holds, else 0
    sum        := product {("+" | "-") product}
    product    := unary {("*" | "/") unary}
    unary      := ("+" | "-") unary | power
    power      := operand [("^" | "**") unary]                             so that -x^2 is -(x^2), and 2^-1 is a half
    operand    := number | name | function "(" comparison {"," comparison} ")" | "(" comparison ")"

A formula becomes a short program for a stack of arrays, in double precision throughout. There is nothing in the grammar
that could do more than compute, and the length of the text and the depth of its parentheses are limited: reading one
takes no longer than its text is long, evaluating it a number of array operations that is no larger.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dougong.solver.values.nearest import nearest

Array = NDArray[np.float64]

#: Characters of a formula.
MAX_LENGTH = 2000
#: Parentheses within parentheses, signs of signs, powers of powers.
MAX_DEPTH = 40

#: What a formula has at hand without being told.
CONSTANTS: Mapping[str, float] = {"pi": math.pi}


def _where(condition: Any, yes: Any, no: Any) -> Any:
    return np.where(condition != 0.0, yes, no)


def _least(*values: Any) -> Any:
    return _folded(np.minimum, values)


def _greatest(*values: Any) -> Any:
    return _folded(np.maximum, values)


def _folded(of_two: Callable[[Any, Any], Any], values: Iterable[Any]) -> Any:
    first, *rest = values
    for value in rest:
        first = of_two(first, value)
    return first


#: Function, fewest and most arguments. Angles in radians; log is the natural logarithm.
FUNCTIONS: Mapping[str, tuple[Callable[..., Any], int, int]] = {
    "if": (_where, 3, 3),
    "min": (_least, 2, 20),
    "max": (_greatest, 2, 20),
    "abs": (np.abs, 1, 1),
    "sqrt": (np.sqrt, 1, 1),
    "exp": (np.exp, 1, 1),
    "log": (np.log, 1, 1),
    "sin": (np.sin, 1, 1),
    "cos": (np.cos, 1, 1),
    "tan": (np.tan, 1, 1),
    "asin": (np.arcsin, 1, 1),
    "acos": (np.arccos, 1, 1),
    "atan": (np.arctan, 1, 1),
    "atan2": (np.arctan2, 2, 2),
    "sinh": (np.sinh, 1, 1),
    "cosh": (np.cosh, 1, 1),
    "tanh": (np.tanh, 1, 1),
}

_COMPARISONS: Mapping[str, Callable[..., Any]] = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "==": np.equal,
    "!=": np.not_equal,
}
_SUMS: Mapping[str, Callable[..., Any]] = {"+": np.add, "-": np.subtract}
_PRODUCTS: Mapping[str, Callable[..., Any]] = {"*": np.multiply, "/": np.divide}
_POWERS = ("^", "**")

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,6})?)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<sign>\*\*|<=|>=|==|!=|[-+*/^(),<>])"
    r"|(?P<end>$))"
)
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,59}")


class ExpressionError(ValueError):
    """A formula that cannot be read.

    Attributes
    ----------
    reason
        A reason code of the catalogue.
    params
        What fills the gaps of its sentence; `position` counts the characters from 1.
    """

    def __init__(self, reason: str, position: int, **params: str | int) -> None:
        super().__init__(f"{reason} at {position}: {params}")
        self.reason = reason
        self.params: dict[str, str | int] = {"position": position, **params}


@dataclass(frozen=True)
class Expression:
    """A formula that was read.

    Attributes
    ----------
    text
        As written.
    names
        The variables in it, each with the position of its first occurrence.
    program
        Steps for a stack: a number or a name to put on it, or a function and how many values it takes off.
    """

    text: str
    names: Mapping[str, int]
    program: tuple[float | str | tuple[Callable[..., Any], int], ...]

    def evaluate(self, values: Mapping[str, float | Array]) -> Array:
        """Its value; where there is none (1/0, log(-1)) infinite or not a number, without a warning.

        Parameters
        ----------
        values
            Of all `names`: numbers, or arrays that can be broadcast together.

        Returns
        -------
        ndarray
            float64, of the common shape; shape () for numbers alone.
        """
        stack: list[Any] = []
        with np.errstate(all="ignore"):
            for step in self.program:
                if isinstance(step, float):
                    stack.append(np.float64(step))
                elif isinstance(step, str):
                    stack.append(np.asarray(values[step], dtype=np.float64))
                else:
                    function, count = step
                    arguments = stack[-count:]
                    del stack[-count:]
                    stack.append(np.asarray(function(*arguments), dtype=np.float64))
        return np.asarray(stack.pop(), dtype=np.float64)


@lru_cache(maxsize=1024)
def parse(text: str) -> Expression:
    """Read a formula.

    Raises
    ------
    ExpressionError
        It is none.
    """
    if len(text) > MAX_LENGTH:
        raise ExpressionError("EXPRESSION_TOO_LONG", MAX_LENGTH, length=len(text), limit=MAX_LENGTH)
    return _Parser(text).run()


class _Parser:
    """Reads a formula from left to right; the current token is at hand as `kind` and `token`."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.program: list[float | str | tuple[Callable[..., Any], int]] = []
        self.names: dict[str, int] = {}
        self.depth = 0
        self.end = 0
        self.kind, self.token, self.position = "", "", 1
        self.advance()

    def run(self) -> Expression:
        self.comparison()
        if self.token == ")":
            raise self.error("EXPRESSION_PARENTHESIS_EXTRA")
        if self.kind != "end":
            raise self.error("EXPRESSION_OPERATOR_EXPECTED", found=self.token)
        return Expression(self.text, self.names, tuple(self.program))

    def error(self, reason: str, **params: str | int) -> ExpressionError:
        return ExpressionError(reason, self.position, **params)

    def advance(self) -> None:
        match = _TOKEN.match(self.text, self.end)
        if match is None:
            rest = self.text[self.end :]
            self.position = self.end + len(rest) - len(rest.lstrip()) + 1
            raise self.error("EXPRESSION_CHARACTER", found=self.text[self.position - 1])
        self.kind = str(match.lastgroup)
        self.token, self.position, self.end = match[self.kind], match.start(self.kind) + 1, match.end()

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.error("EXPRESSION_TOO_DEEP", limit=MAX_DEPTH)

    def comparison(self) -> None:
        self.sum()
        if self.token not in _COMPARISONS:
            return
        function = _COMPARISONS[self.token]
        self.advance()
        self.sum()
        self.program.append((function, 2))
        if self.token in _COMPARISONS:
            raise self.error("EXPRESSION_COMPARISON_CHAINED", found=self.token)

    def sum(self) -> None:
        self.chain(_SUMS, self.product)

    def product(self) -> None:
        self.chain(_PRODUCTS, self.unary)

    def chain(self, operators: Mapping[str, Callable[..., Any]], operand: Callable[[], None]) -> None:
        operand()
        while self.token in operators:
            function = operators[self.token]
            self.advance()
            operand()
            self.program.append((function, 2))

    def unary(self) -> None:
        self.deeper()
        if self.token in _SUMS:
            negative = self.token == "-"
            self.advance()
            self.unary()
            if negative:
                self.program.append((np.negative, 1))
        else:
            self.operand()
            if self.token in _POWERS:
                self.advance()
                self.unary()
                self.program.append((np.power, 2))
        self.depth -= 1

    def operand(self) -> None:
        if self.kind == "number":
            value = float(self.token)
            if not math.isfinite(value):
                raise self.error("EXPRESSION_NUMBER_TOO_LARGE", found=self.token)
            self.program.append(value)
            self.advance()
        elif self.kind == "name":
            self.name()
        elif self.token == "(":
            opened = self.position
            self.advance()
            self.comparison()
            self.close(opened)
        elif self.kind == "end":
            raise self.error("EXPRESSION_ENDS_EARLY")
        else:
            raise self.error("EXPRESSION_OPERAND_EXPECTED", found=self.token)

    def close(self, opened: int) -> None:
        if self.kind == "end":
            raise ExpressionError("EXPRESSION_PARENTHESIS_OPEN", opened)
        if self.token != ")":
            raise self.error("EXPRESSION_OPERATOR_EXPECTED", found=self.token)
        self.advance()

    def name(self) -> None:
        name, position = self.token, self.position
        self.advance()
        if self.token == "(":
            self.call(name, position)
        elif name in FUNCTIONS:
            raise ExpressionError("EXPRESSION_ARGUMENTS_MISSING", position, function=name)
        elif name in CONSTANTS:
            self.program.append(CONSTANTS[name])
        else:
            self.names.setdefault(name, position)
            self.program.append(name)

    def call(self, name: str, position: int) -> None:
        if name not in FUNCTIONS:
            near = ", ".join(nearest(name, list(FUNCTIONS)))
            raise ExpressionError("EXPRESSION_FUNCTION_UNKNOWN", position, function=name[:60], near=near)
        opened, count = self.position, 0
        self.advance()
        if self.token != ")":
            self.comparison()
            count = 1
        while self.token == ",":
            self.advance()
            self.comparison()
            count += 1
        self.close(opened)
        function, fewest, most = FUNCTIONS[name]
        if not fewest <= count <= most:
            wanted = str(fewest) if fewest == most else f"{fewest}-{most}"
            raise ExpressionError("EXPRESSION_ARGUMENTS_WRONG", position, function=name, given=count, wanted=wanted)
        self.program.append((function, count))
