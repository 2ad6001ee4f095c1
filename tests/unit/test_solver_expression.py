"""Formulas: what they mean, what is said of those that cannot be read, and that no text does harm."""

import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dougong.solver.values.expression import FUNCTIONS, MAX_DEPTH, MAX_LENGTH, ExpressionError, parse

X = {"x": 3.0, "y": -2.0, "h": 0.5}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2e3*(1 - x/4)", 500.0),
        ("-x^2", -9.0),
        ("(-x)^2", 9.0),
        ("2^-1", 0.5),
        ("2^3^2", 512.0),
        ("2**3", 8.0),
        ("8/4/2", 1.0),
        ("8-4-2", 2.0),
        ("1 + 2*3", 7.0),
        ("--x", 3.0),
        ("+x - -y", 1.0),
        ("2*-x", -6.0),
        (".5 + 5. + 1.5e-1", 5.65),
        ("x > 2", 1.0),
        ("x < y + 1", 0.0),
        ("(0 < x)*(x < 1)", 0.0),
        ("x == 3", 1.0),
        ("x != 3", 0.0),
        ("if(x >= 3, 10, 20)", 10.0),
        ("if(x <= y, 10, 20)", 20.0),
        ("if(y, 1, 2)", 1.0),
        ("min(x, y, h)", -2.0),
        ("max(x, y)", 3.0),
        ("abs(y)", 2.0),
        ("sqrt(x + 1)", 2.0),
        ("exp(1)", math.e),
        ("log(exp(2))", 2.0),
        ("sin(pi/2) + cos(pi)", 0.0),
        ("tan(pi/4)", 1.0),
        ("asin(1) - acos(0)", 0.0),
        ("atan(1)*4", math.pi),
        ("atan2(1, -1)", 0.75 * math.pi),
        ("sinh(1)^2 - cosh(1)^2", -1.0),
        ("tanh(0)", 0.0),
        ("\n x\t*\n h ", 1.5),
    ],
)
def test_what_a_formula_means(text, value):
    assert float(parse(text).evaluate(X)) == pytest.approx(value, rel=1e-14, abs=1e-14)


def test_every_function_has_a_case():
    tried = "".join(str(mark.args[1]) for mark in test_what_a_formula_means.pytestmark)
    assert [name for name in FUNCTIONS if f"{name}(" not in tried] == []


def test_arrays_are_evaluated_at_once():
    x = np.linspace(-1, 1, 12).reshape(3, 4)
    found = parse("if(x > 0, a*x, 1/0)").evaluate({"x": x, "a": 2.0})
    np.testing.assert_array_equal(found, np.where(x > 0, 2 * x, np.inf))
    assert parse("a + 1").evaluate({"a": 2.0}).shape == ()


def test_numbers_are_in_double_precision_throughout():
    assert float(parse("10^400").evaluate({})) == math.inf
    assert math.isnan(float(parse("log(-1)").evaluate({})))
    assert float(parse("7/2").evaluate({})) == 3.5


def test_names_are_where_they_stand():
    assert dict(parse("1 + foo*x - foo").names) == {"foo": 5, "x": 9}


@pytest.mark.parametrize(
    ("text", "reason", "position"),
    [
        ("", "EXPRESSION_ENDS_EARLY", 1),
        ("1 +", "EXPRESSION_ENDS_EARLY", 4),
        ("2 x", "EXPRESSION_OPERATOR_EXPECTED", 3),
        ("5 MPa", "EXPRESSION_OPERATOR_EXPECTED", 3),
        ("(1 2)", "EXPRESSION_OPERATOR_EXPECTED", 4),
        ("1, 2", "EXPRESSION_OPERATOR_EXPECTED", 2),
        ("1 * * 2", "EXPRESSION_OPERAND_EXPECTED", 5),
        ("()", "EXPRESSION_OPERAND_EXPECTED", 2),
        ("sin(,1)", "EXPRESSION_OPERAND_EXPECTED", 5),
        ("1 $ 2", "EXPRESSION_CHARACTER", 3),
        ("x[0]", "EXPRESSION_CHARACTER", 2),
        ("x.real", "EXPRESSION_CHARACTER", 2),
        ("２*x", "EXPRESSION_CHARACTER", 1),
        ("1 = 2", "EXPRESSION_CHARACTER", 3),
        ("((1 + 2)", "EXPRESSION_PARENTHESIS_OPEN", 1),
        ("sin(1", "EXPRESSION_PARENTHESIS_OPEN", 4),
        ("1 + 2)", "EXPRESSION_PARENTHESIS_EXTRA", 6),
        ("1e999", "EXPRESSION_NUMBER_TOO_LARGE", 1),
        ("0 < x < 1", "EXPRESSION_COMPARISON_CHAINED", 7),
        ("sine(x)", "EXPRESSION_FUNCTION_UNKNOWN", 1),
        ("x*h(1 - x)", "EXPRESSION_FUNCTION_UNKNOWN", 3),
        ("1 + sin", "EXPRESSION_ARGUMENTS_MISSING", 5),
        ("sin()", "EXPRESSION_ARGUMENTS_WRONG", 1),
        ("if(1, 2)", "EXPRESSION_ARGUMENTS_WRONG", 1),
        ("min(1)", "EXPRESSION_ARGUMENTS_WRONG", 1),
        ("(" * (MAX_DEPTH + 1) + "1" + ")" * (MAX_DEPTH + 1), "EXPRESSION_TOO_DEEP", MAX_DEPTH + 1),
        ("-" * 100 + "1", "EXPRESSION_TOO_DEEP", MAX_DEPTH + 1),
        ("1" + "+1" * MAX_LENGTH, "EXPRESSION_TOO_LONG", MAX_LENGTH),
        ("__import__('os')", "EXPRESSION_FUNCTION_UNKNOWN", 1),
    ],
)
def test_what_is_said_of_one_that_cannot_be_read(text, reason, position):
    with pytest.raises(ExpressionError) as error:
        parse(text)
    assert (error.value.reason, error.value.params["position"]) == (reason, position)


def test_a_misspelt_function_finds_the_right_one():
    with pytest.raises(ExpressionError) as error:
        parse("sine(x)")
    assert "sin" in str(error.value.params["near"])


def harmless(text):
    """Whether a text is read and evaluated, or refused; quickly either way."""
    began = time.process_time()
    try:
        expression = parse(text)
        expression.evaluate(dict.fromkeys(expression.names, np.linspace(-1.0, 2.0, 5)))
    except ExpressionError as error:
        position = int(error.params["position"])
        assert position in range(1, len(text) + 2)
    assert time.process_time() - began < 1.0


@given(st.text(max_size=300))
@settings(max_examples=300, deadline=None)
def test_any_text_is_read_or_refused(text):
    harmless(text)


PIECES = ["x", "1", "2.5", "+", "-", "*", "/", "^", "**", "(", ")", ",", "<", "==", "if(", "min(", "sin(", " ", "1e9"]


@given(st.lists(st.sampled_from(PIECES), max_size=60))
@settings(max_examples=500, deadline=None)
def test_any_mixture_of_tokens_is_read_or_refused(pieces):
    harmless("".join(pieces))


@pytest.mark.parametrize(
    "text",
    [
        "9^" * 30 + "9",
        "(" * MAX_LENGTH,
        "-" * MAX_LENGTH,
        "1^" * (MAX_LENGTH // 2),
        "min(" * (MAX_LENGTH // 4),
        "1+" * (MAX_LENGTH // 2 - 1) + "1",
        "x*" * (MAX_LENGTH // 2 - 1) + "x",
        "1" * MAX_LENGTH,
        "." * MAX_LENGTH,
        "a" * MAX_LENGTH,
        " " * MAX_LENGTH,
        "1e" + "9" * 500,
    ],
)
def test_long_and_deep_ones_do_no_harm(text):
    harmless(text)


def harmonic(depth):
    """Formulas as deep as given and what Python makes of them, drawn together."""
    leaf = st.one_of(
        st.floats(-10, 10, allow_nan=False).map(lambda v: (f"({v!r})", v)),
        st.just(("x", X["x"])),
        st.just(("h", X["h"])),
    )

    def extend(inner):
        pairs = st.tuples(inner, inner, st.sampled_from("+-*"))
        return st.one_of(
            pairs.map(lambda p: (f"({p[0][0]} {p[2]} {p[1][0]})", _apply(p[2], p[0][1], p[1][1]))),
            inner.map(lambda p: (f"-{p[0]}", -p[1])),
            inner.map(lambda p: (f"sin({p[0]})", float(np.sin(p[1])))),
            st.tuples(inner, inner).map(lambda p: (f"max({p[0][0]}, {p[1][0]})", max(p[0][1], p[1][1]))),
        )

    return st.recursive(leaf, extend, max_leaves=depth)


def _apply(sign, a, b):
    return {"+": a + b, "-": a - b, "*": a * b}[sign]


@given(harmonic(12))
@settings(max_examples=200, deadline=None)
def test_what_is_computed_is_what_python_computes(pair):
    text, value = pair
    assert float(parse(text).evaluate(X)) == pytest.approx(value, rel=1e-12, abs=1e-12)
