"""What radiation needs of the unit system: the Stefan-Boltzmann constant."""

from __future__ import annotations

from dougong.messages import violation
from dougong.v1 import analysis_pb2 as pb
from dougong.v1 import job_pb2

#: W/(m² K⁴): exact, but for the digits, since 2019 (CODATA 2018).
STEFAN_BOLTZMANN = 5.670374419e-8

#: Of W/m² in a system; in mm-t-s the unit is mW/mm².
_KNOWN = {pb.UnitSystem.SYSTEM_UNSPECIFIED: 1.0, pb.UnitSystem.SYSTEM_SI: 1.0, pb.UnitSystem.SYSTEM_MM_T_S: 1e-3}


def stefan_boltzmann(radiation: pb.Radiation, units: pb.UnitSystem) -> float:
    """The constant that a load gives, or that of the unit system; 0 where nobody says which it is."""
    if radiation.HasField("constant"):
        return radiation.constant.value
    return STEFAN_BOLTZMANN * _KNOWN.get(units.system, 0.0)


def check_radiation(analysis: pb.Analysis) -> list[job_pb2.Violation]:
    """Loads whose Stefan-Boltzmann constant nobody knows, or that is not positive."""
    found = []
    for k, step in enumerate(analysis.steps):
        groups = [(f"steps[{k}]", step.loads)]
        groups += [(f"steps[{k}].load_cases[{n}]", case.loads) for n, case in enumerate(step.load_cases)]
        for path, loads in groups:
            for n, load in enumerate(loads):
                if load.WhichOneof("kind") != "radiation":
                    continue
                where = f"{path}.loads[{n}].radiation.constant"
                value = stefan_boltzmann(load.radiation, analysis.units)
                if load.radiation.HasField("constant") and not value > 0:
                    found.append(violation("VALUE_NOT_POSITIVE", where, value=value))
                elif not value:
                    found.append(violation("STEFAN_BOLTZMANN_MISSING", where))
    return found
