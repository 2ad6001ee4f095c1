"""Numbers with units: "210 GPa", "25 mm", "20 degC" -> a number in the unit system of an analysis.

The units library (pint) is slow to import, so it is imported when the first unit occurs, not before.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from dougong.client.dimensions import DIMENSIONS, DimensionInfo, Exponents
from dougong.v1 import analysis_pb2, options_pb2

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")

#: A unit expression is letters, products, quotients and small powers: nothing that could cost time to evaluate.
_UNIT = re.compile(r"[A-Za-zµμΩÅ_*/^ ()%0-9-]{1,60}")
_DIGITS_ELSEWHERE = re.compile(r"(?<![\^0-9])(?<!\^-)[0-9]+|\^-?[0-9]{2,}|\^[^-0-9]|\*\*")

#: pint reads a bare "ton" as the American one of 907 kg; most who write "ton/mm^3" mean 1000 kg. Nobody guesses here.
_AMBIGUOUS = re.compile(r"\b(?:kilo|mega|k|M)?tons?\b")


class UnitError(ValueError):
    """A value cannot be read.

    Attributes
    ----------
    kind
        "number": it does not begin with a number; "not_finite": the number is too large; "unit": there is no such
        unit; "dimension": the unit measures something else; "difference": a temperature difference where a
        temperature belongs.
    part
        The part of the text that is to blame.
    """

    def __init__(self, kind: str, part: str) -> None:
        super().__init__(f"{kind}: {part}")
        self.kind = kind
        self.part = part


def parse_number(text: str) -> tuple[float, str]:
    """Split a text into the number it begins with and what follows, stripped: "210 GPa" -> (210.0, "GPa").

    Raises
    ------
    UnitError
        "number" or "not_finite".
    """
    match = _NUMBER.match(text.strip())
    if match is None:
        raise UnitError("number", text)
    value = float(match.group()) + 0.0  # -0 means 0
    if not math.isfinite(value):
        raise UnitError("not_finite", match.group())
    return value, text.strip()[match.end() :].strip()


def is_formula(text: str) -> bool:
    """Whether a text is an expression rather than a number with a unit: "2e3*(1 - z/h)", "p0*x", "1/2"; not "5 1/K"."""
    plain = text.strip()
    match = _NUMBER.match(plain)
    if match is not None:
        return plain[match.end() :].lstrip()[:1] in tuple("+-*/^<>=!")
    return re.match(r"[+-]*[ ]*[A-Za-z_(]", plain) is not None and re.search(r"[-+*/^(<>]", plain[1:]) is not None


@dataclass(frozen=True)
class UnitConverter:
    """Converts values with units into a unit system.

    Parameters
    ----------
    units
        The unit system of the analysis.
    """

    units: analysis_pb2.UnitSystem

    def convert(self, text: str, dimension: int) -> float:
        """A number, or a number with a unit, as a number of the unit system.

        Parameters
        ----------
        text
            Such as "5", "2.1e11", "210 GPa", "9.81 m/s^2".
        dimension
            The expected dimension, a value of `dougong.v1.Dimension`.

        Raises
        ------
        UnitError
            It cannot be read, or has the wrong dimension.
        """
        value, unit_text = parse_number(text)
        if not unit_text:
            return value
        unit = parse_unit(unit_text)
        registry = _registry()
        if dimension == options_pb2.DIMENSION_ANY:
            exponents, dimension = _exponents(unit, unit_text)
        else:
            exponents = DIMENSIONS[dimension].exponents
        if unit.dimensionality != _dimensionality(exponents):
            raise UnitError("dimension", unit_text)
        if dimension == options_pb2.DIMENSION_TEMPERATURE:
            if "delta_" in str(unit):
                raise UnitError("difference", unit_text)
            degree: float = registry.Quantity(1.0, base_units(self.units)[3]).to("kelvin").magnitude
            kelvin: float = registry.Quantity(value, unit).to("kelvin").magnitude
            return round(kelvin / degree + absolute_zero(self.units), 9)
        if dimension == options_pb2.DIMENSION_TEMPERATURE_DIFFERENCE:
            unit = _difference(unit)
        converted = _tidy(value * registry.Quantity(1.0, unit).to(_target(exponents, self.units)).magnitude)
        if not math.isfinite(converted):
            raise UnitError("not_finite", text)
        return converted


def parse_unit(text: str) -> Any:
    """A unit as pint understands it; "m/s2", "kg/m³", "°C", "W/(m·K)" are understood too.

    Raises
    ------
    UnitError
        "unit".
    """
    plain = text.strip().replace("°C", "degC").replace("°F", "degF").replace("·", "*").replace("**", "^")
    plain = plain.replace("²", "^2").replace("³", "^3").replace("⁴", "^4")
    plain = plain.replace("℃", "degC").replace("Ω", "ohm")
    if plain == "%":
        plain = "percent"
    plain = re.sub(r"(?<=[A-Za-z])([1-9])(?![0-9A-Za-z])", r"^\1", plain)
    inverse = re.fullmatch(r"1\s*/(.*)", plain)
    body = inverse.group(1) if inverse else plain
    if not _UNIT.fullmatch(body) or _DIGITS_ELSEWHERE.search(body.replace(" ", "")) or _AMBIGUOUS.search(body):
        raise UnitError("unit", text)
    import pint

    try:
        unit = _registry().parse_units(f"1/({body})" if inverse else body)
    except (pint.PintError, ValueError, TypeError, AttributeError, KeyError, SyntaxError, AssertionError) as error:
        raise UnitError("unit", text) from error
    except Exception as error:
        # The tokenizer of the standard library, which pint uses, has error classes of its own.
        if type(error).__module__ in {"tokenize", "pint.errors"} or "pint" in type(error).__module__:
            raise UnitError("unit", text) from error
        raise
    return unit


def base_units(units: analysis_pb2.UnitSystem) -> tuple[Any, Any, Any, Any]:
    """Length, mass, time and (difference of) temperature of a unit system, as pint units.

    Raises
    ------
    UnitError
        A base unit of an explicit system cannot be read or measures something else.
    """
    names = ("m", "kg", "s", "K")
    if units.system == analysis_pb2.UnitSystem.SYSTEM_MM_T_S:
        names = ("mm", "metric_ton", "s", "K")
    elif units.system == analysis_pb2.UnitSystem.SYSTEM_EXPLICIT:
        names = (units.length or "m", units.mass or "kg", units.time or "s", units.temperature or "K")
    found = tuple(parse_unit(name) for name in names)
    for k, unit in enumerate(found):
        if unit.dimensionality != _dimensionality(tuple(int(i == k) for i in range(4))):
            raise UnitError("dimension", names[k])
    return (found[0], found[1], found[2], _difference(found[3]))


#: Units of temperature that are not units of its differences.
_SCALES = frozenset({"degree_Celsius", "degree_Fahrenheit"})
#: Where absolute zero lies on the scales that have another zero, by the unit as pint names it.
_ABSOLUTE_ZERO = {"delta_degree_Celsius": -273.15, "delta_degree_Fahrenheit": -459.67}


def absolute_zero(units: analysis_pb2.UnitSystem) -> float:
    """Absolute zero on the temperature scale of a unit system: as given, else what its unit of temperature says.

    A system with `temperature: degC` (or `delta_degC`, which is the same there) counts from the ice point; 0 for one
    that cannot be read.
    """
    if units.HasField("absolute_zero"):
        return units.absolute_zero
    if units.system != analysis_pb2.UnitSystem.SYSTEM_EXPLICIT or not units.temperature:
        return 0.0
    try:
        return _ABSOLUTE_ZERO.get(str(_difference(parse_unit(units.temperature))), 0.0)
    except UnitError:
        return 0.0


def unit_name(dimension: int | DimensionInfo, units: analysis_pb2.UnitSystem) -> str:
    """The unit of a dimension in a unit system, for people: "MPa", "mm"; empty for a pure number.

    Parameters
    ----------
    dimension
        A value of `dougong.v1.Dimension`, or `ENERGY`.
    units
        The unit system of an analysis.
    """
    info = dimension if isinstance(dimension, DimensionInfo) else DIMENSIONS.get(dimension)
    if info is None:
        return ""
    explicit = units.system == analysis_pb2.UnitSystem.SYSTEM_EXPLICIT
    if explicit or (dimension == options_pb2.DIMENSION_TEMPERATURE and units.HasField("absolute_zero")):
        if dimension == options_pb2.DIMENSION_TEMPERATURE:
            return temperature_scale(units)
        return _explicit_unit_name(info, units)
    return info.mm_t_s if units.system == analysis_pb2.UnitSystem.SYSTEM_MM_T_S else info.si


def _explicit_unit_name(info: DimensionInfo, units: analysis_pb2.UnitSystem) -> str:
    """The unit of a dimension in an explicit unit system: "lbf/in²"; empty when its base units cannot be read.

    A system that is SI or mm-t-s under another name has the names of those, such as mW/mm².
    """
    try:
        base = base_units(units)
        sizes = [_registry().Quantity(1.0, unit).to_base_units() for unit in base]
        target = _target(info.exponents, units)
    except UnitError:
        return ""
    # pint's own base units are m, g (or kg), s, K: only ratios to those of a known system matter.
    for names, known in ((("m", "kg", "s", "K"), info.si), (("mm", "metric_ton", "s", "K"), info.mm_t_s)):
        ratios = [
            size / _registry().Quantity(1.0, name).to_base_units() for size, name in zip(sizes, names, strict=True)
        ]
        if all(abs(float(ratio.magnitude) - 1.0) < 1e-12 for ratio in ratios):
            return known
    return f"{target:~P}".replace("Δ°C", "K")


def temperature_scale(units: analysis_pb2.UnitSystem) -> str:
    """The unit of a point on the temperature scale: "K", "°C", "°F", "°R"; else that of a difference."""
    try:
        degree = float(_registry().Quantity(1.0, base_units(units)[3]).to("kelvin").magnitude)
    except UnitError:
        return ""
    zero = absolute_zero(units)
    for name, size, begin in (("K", 1.0, 0.0), ("°C", 1.0, -273.15), ("°R", 5 / 9, 0.0), ("°F", 5 / 9, -459.67)):
        if abs(degree - size) < 1e-9 and abs(zero - begin) < 1e-6:
            return name
    return _explicit_unit_name(DIMENSIONS[options_pb2.DIMENSION_TEMPERATURE_DIFFERENCE], units)


#: Base dimensions as pint names them, in the order of exponents.
_BASES = ("[length]", "[mass]", "[time]", "[temperature]", "[current]")


def _exponents(unit: Any, text: str) -> tuple[Exponents, int]:
    """The exponents that a unit itself has, and its dimension if it is one of temperature.

    Degrees are a point on the scale, as they are written for; a difference has a unit of its own (delta_degC, K).
    """
    if str(unit) in _SCALES:
        return (0, 0, 0, 1), options_pb2.DIMENSION_TEMPERATURE
    found = dict(unit.dimensionality)
    powers = [found.pop(name, 0) for name in _BASES]
    if found or any(p != int(p) for p in powers):
        raise UnitError("unit", text)
    return tuple(int(p) for p in powers), options_pb2.DIMENSION_ANY


def _target(exponents: Exponents, units: analysis_pb2.UnitSystem) -> Any:
    unit = _registry().Unit("")
    # The ampere is the unit of current in every system.
    for base, exponent in zip((*base_units(units), _registry().Unit("A")), exponents, strict=False):
        if exponent:
            unit = unit * base**exponent
    return unit


def _dimensionality(exponents: Exponents) -> Any:
    return _registry().UnitsContainer({n: e for n, e in zip(_BASES, exponents, strict=False) if e})


def _difference(unit: Any) -> Any:
    """A unit of temperature as a unit of temperature difference: degrees have no zero there."""
    name = {"degree_Celsius": "delta_degree_Celsius", "degree_Fahrenheit": "delta_degree_Fahrenheit"}.get(str(unit))
    return _registry().Unit(name) if name else unit


def _tidy(value: float) -> float:
    """Take away the noise of the conversion, which sits in the last bit: 209999999999.99997 -> 210000000000."""
    return float(f"{value:.15g}")


@cache
def _registry() -> Any:
    import pint

    return pint.UnitRegistry()
