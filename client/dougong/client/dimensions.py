"""The physical dimensions of the schema: exponents, names, units in the usual systems, examples for messages."""

from __future__ import annotations

from dataclasses import dataclass

from dougong.v1 import options_pb2

#: Exponents of length, mass, time and temperature, and where there is a fifth of electric current.
Exponents = tuple[int, ...]


@dataclass(frozen=True)
class DimensionInfo:
    """What people need to know about a dimension.

    Attributes
    ----------
    exponents
        Of length, mass, time and temperature, and where there is a fifth of electric current, which is in amperes in
        every system.
    en, zh
        Its name.
    si, mm_t_s
        The unit it has in the system SI (m, kg, s, K) and mm-t-s (mm, t, s, K).
    examples
        Values with units, as a person would write them.
    """

    exponents: Exponents
    en: str
    zh: str
    si: str
    mm_t_s: str
    examples: str


_D = options_pb2

#: Every dimension of the schema but DIMENSION_UNSPECIFIED.
DIMENSIONS: dict[int, DimensionInfo] = {
    _D.DIMENSION_NONE: DimensionInfo((0, 0, 0, 0), "a number without unit", "无量纲数", "", "", "0.3"),
    _D.DIMENSION_LENGTH: DimensionInfo((1, 0, 0, 0), "length", "长度", "m", "mm", "25 mm, 0.1 m, 2 in"),
    _D.DIMENSION_TEMPERATURE: DimensionInfo(
        (0, 0, 0, 1), "temperature", "温度", "K", "K", "20 degC, 293.15 K, 68 degF"
    ),
    _D.DIMENSION_TEMPERATURE_DIFFERENCE: DimensionInfo(
        (0, 0, 0, 1), "temperature difference", "温差", "K", "K", "80 K, 80 delta_degC"
    ),
    _D.DIMENSION_FORCE: DimensionInfo((1, 1, -2, 0), "force", "力", "N", "N", "500 N, 2 kN, 100 lbf"),
    _D.DIMENSION_PRESSURE: DimensionInfo(
        (-1, 1, -2, 0), "pressure, stress or modulus", "压强、应力或模量", "Pa", "MPa", "210 GPa, 5 MPa, 1 bar"
    ),
    _D.DIMENSION_DENSITY: DimensionInfo((-3, 1, 0, 0), "density", "密度", "kg/m³", "t/mm³", "7850 kg/m^3, 7.85 g/cm^3"),
    _D.DIMENSION_ACCELERATION: DimensionInfo(
        (1, 0, -2, 0), "acceleration", "加速度", "m/s²", "mm/s²", "9.81 m/s^2, 9810 mm/s^2"
    ),
    _D.DIMENSION_FORCE_PER_VOLUME: DimensionInfo(
        (-2, 1, -2, 0), "force per volume", "单位体积力", "N/m³", "N/mm³", "77 kN/m^3, 1e-6 N/mm^3"
    ),
    _D.DIMENSION_CONDUCTIVITY: DimensionInfo(
        (1, 1, -3, -1), "thermal conductivity", "导热系数", "W/(m·K)", "mW/(mm·K)", "52 W/(m*K), 0.2 W/(m*K)"
    ),
    _D.DIMENSION_HEAT_FLUX: DimensionInfo(
        (0, 1, -3, 0), "heat flux", "热流密度", "W/m²", "mW/mm²", "500 W/m^2, 2 kW/m^2"
    ),
    _D.DIMENSION_HEAT_SOURCE: DimensionInfo(
        (-1, 1, -3, 0), "heat source", "体积热源", "W/m³", "mW/mm³", "1e5 W/m^3, 2 W/cm^3"
    ),
    _D.DIMENSION_FILM_COEFFICIENT: DimensionInfo(
        (0, 1, -3, -1), "film coefficient", "对流换热系数", "W/(m²·K)", "mW/(mm²·K)", "25 W/(m^2*K)"
    ),
    _D.DIMENSION_EXPANSION: DimensionInfo(
        (0, 0, 0, -1), "coefficient of thermal expansion", "热膨胀系数", "1/K", "1/K", "1.2e-5 1/K"
    ),
    _D.DIMENSION_SPECIFIC_HEAT: DimensionInfo(
        (2, 0, -2, -1), "specific heat", "比热容", "J/(kg·K)", "mJ/(t·K)", "460 J/(kg*K)"
    ),
    _D.DIMENSION_ELECTRIC_POTENTIAL: DimensionInfo(
        (2, 1, -3, 0, -1), "electric potential", "电势", "V", "mV", "5 V, 10 kV, 20 mV"
    ),
    _D.DIMENSION_PERMITTIVITY: DimensionInfo(
        (-3, -1, 4, 0, 2), "permittivity", "介电常数", "F/m", "MF/m", "34.5 pF/m, 8.854e-12 F/m"
    ),
    _D.DIMENSION_ELECTRIC_CHARGE: DimensionInfo((0, 0, 1, 0, 1), "electric charge", "电荷", "C", "C", "2 nC, 1e-9 C"),
    _D.DIMENSION_SURFACE_CHARGE: DimensionInfo(
        (-2, 0, 1, 0, 1), "surface charge", "面电荷密度", "C/m²", "C/mm²", "5e-6 C/m^2"
    ),
    _D.DIMENSION_CHARGE_DENSITY: DimensionInfo(
        (-3, 0, 1, 0, 1), "charge density", "体电荷密度", "C/m³", "C/mm³", "1e-3 C/m^3"
    ),
    _D.DIMENSION_ELECTRIC_FIELD: DimensionInfo(
        (1, 1, -3, 0, -1), "electric field", "电场强度", "V/m", "mV/mm", "3 MV/m, 3 kV/mm"
    ),
    _D.DIMENSION_VELOCITY: DimensionInfo(
        (1, 0, -1, 0), "velocity or permeability", "速度或渗透系数", "m/s", "mm/s", "1e-5 m/s, 3 mm/h"
    ),
    _D.DIMENSION_PER_TIME: DimensionInfo((0, 0, -1, 0), "rate", "速率", "1/s", "1/s", "1e-6 1/s"),
    _D.DIMENSION_VOLUME_FLOW: DimensionInfo(
        (3, 0, -1, 0), "volume flow", "体积流量", "m³/s", "mm³/s", "1e-3 m^3/s, 5 L/s"
    ),
    _D.DIMENSION_STEFAN_BOLTZMANN: DimensionInfo(
        (0, 1, -3, -4),
        "Stefan-Boltzmann constant",
        "斯特藩-玻尔兹曼常数",
        "W/(m²·K⁴)",
        "mW/(mm²·K⁴)",
        "5.670374419e-8 W/(m^2*K^4)",
    ),
    _D.DIMENSION_FREQUENCY: DimensionInfo((0, 0, -1, 0), "frequency", "频率", "Hz", "Hz", "50 Hz, 2 kHz"),
    _D.DIMENSION_POWER: DimensionInfo((2, 1, -3, 0), "power", "功率", "W", "mW", "5 W, 2 kW"),
    _D.DIMENSION_ENERGY_DENSITY: DimensionInfo(
        (-1, 1, -2, 0), "energy density", "能量密度", "J/m³", "mJ/mm³", "5 J/m^3, 2 mJ/mm^3"
    ),
    _D.DIMENSION_TEMPERATURE_GRADIENT: DimensionInfo(
        (-1, 0, 0, 1), "temperature gradient", "温度梯度", "K/m", "K/mm", "200 K/m"
    ),
    _D.DIMENSION_TIME: DimensionInfo((0, 0, 1, 0), "time", "时间", "s", "s", "10 s, 2 h, 5 ms"),
    _D.DIMENSION_ANGULAR_VELOCITY: DimensionInfo(
        (0, 0, -1, 0), "angular velocity", "角速度", "rad/s", "rad/s", "3000 rpm, 314 rad/s"
    ),
    _D.DIMENSION_ANGULAR_ACCELERATION: DimensionInfo(
        (0, 0, -2, 0), "angular acceleration", "角加速度", "rad/s²", "rad/s²", "20 rad/s^2"
    ),
    _D.DIMENSION_ANY: DimensionInfo(
        (0, 0, 0, 0), "a number with or without a unit", "数值（可带单位）", "", "", "250 mm, 0.5"
    ),
    _D.DIMENSION_STIFFNESS: DimensionInfo((0, 1, -2, 0), "stiffness", "刚度", "N/m", "N/mm", "1e5 N/m, 20 kN/mm"),
    _D.DIMENSION_ROTATIONAL_STIFFNESS: DimensionInfo(
        (2, 1, -2, 0), "rotational stiffness", "转动刚度", "N·m/rad", "N·mm/rad", "1e4 N*m/rad"
    ),
    _D.DIMENSION_MOMENT: DimensionInfo((2, 1, -2, 0), "moment", "力矩", "N·m", "N·mm", "50 N*m, 2 kN*m"),
    _D.DIMENSION_MASS: DimensionInfo((0, 1, 0, 0), "mass", "质量", "kg", "t", "5 kg, 0.2 t"),
    _D.DIMENSION_MASS_PER_AREA: DimensionInfo(
        (-2, 1, 0, 0), "mass per area", "单位面积质量", "kg/m²", "t/mm²", "12 kg/m^2"
    ),
    _D.DIMENSION_INERTIA: DimensionInfo((2, 1, 0, 0), "moment of inertia", "转动惯量", "kg·m²", "t·mm²", "0.1 kg*m^2"),
}

#: A dimension that only results have.
ENERGY = DimensionInfo((2, 1, -2, 0), "energy", "能量", "J", "mJ", "5 J")
