"""What a frame tells beside its fields and balance: probes, section forces, extremes of regions, the error estimate."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from dougong.messages import InputError
from dougong.solver.model import Model
from dougong.solver.outputs.error_estimate import cell_errors, estimate_message
from dougong.solver.outputs.extremes import envelope, extremes_of
from dougong.solver.outputs.probes import Probes, place_probes
from dougong.solver.outputs.section_forces import find_sections, section_forces
from dougong.solver.state import NodalState, nodal_values
from dougong.v1 import analysis_pb2 as pb
from dougong.v1 import job_pb2, result_pb2

Array = NDArray[np.float64]


def check_told(model: Model, outputs: pb.Outputs) -> list[job_pb2.Violation]:
    """What is wrong with probes and cuts where they really are. Collective."""
    return place_probes(model.part, outputs)[1] + find_sections(model, outputs)[1]


class Told:
    """What the frames of a step tell. Collective.

    Parameters
    ----------
    model
        The step on this part.
    outputs
        What the analysis asks for.

    Raises
    ------
    InputError
        A probe is outside the body, or a cut is none.
    """

    def __init__(self, model: Model, outputs: pb.Outputs) -> None:
        placed, wrong = place_probes(model.part, outputs)
        sections, unclear = find_sections(model, outputs)
        if wrong or unclear:
            raise InputError(wrong + unclear)
        # Elsewhere inertia, or heat that is stored, takes part in the equilibrium of the cells beside a cut.
        self._sections = sections if model.step.run.estimated else []
        self._told: dict[int, result_pb2.Frame] = {}
        self._model, self._outputs = model, outputs
        self.probes = Probes(model, placed)
        options = outputs.error_estimate
        asked = any(r.name == "error" for r in outputs.fields) or outputs.HasField("error_estimate")
        self.estimates = (asked or model.step.run.estimated) and not options.off

    def nodal_fields(self) -> list[str]:
        """Fields that must be recovered at the nodes for it."""
        flux = [self._model.physics.FLUX] if self.estimates else []
        of_regions = [f for r in self._outputs.extremes for f in self._fields(r)]
        return [*self.probes.all_fields(), *of_regions, *flux]

    def _fields(self, asked: pb.RegionExtremes) -> list[str]:
        step = self._model.step
        usual = [f for f in step.usual_fields if f != "reaction"]
        return [f for f in dict.fromkeys(asked.fields or usual) if f in step.physics.FIELDS]

    def tell(self, state: NodalState, frame: int) -> Mapping[str, list[Array]]:
        """Note what a frame tells; returns fields of cells that came with it, see `Recovery.at_cells`. Collective."""
        model = self._model
        message = self._told.setdefault(frame, result_pb2.Frame())
        if self._outputs.HasField("moments_about"):
            state.about = np.array(self._outputs.moments_about.coordinates)
        message.probes.extend(self.probes.values(state))
        message.section_forces.extend(section_forces(state, frame, self._sections))
        for asked in self._outputs.extremes:
            nodes = model.regions.nodes(asked.region)
            nodes = nodes[nodes < model.part.n_owned]
            for field in self._fields(asked):
                values, spec = nodal_values(state, field), model.physics.FIELDS[field]
                components = spec.components[: values.shape[1]] if spec.components else ()
                found = extremes_of(model, frame, field, components, values, nodes)
                for extreme in found:
                    extreme.region = asked.region
                message.region_extremes.extend(found)
        if not self.estimates:
            return {}
        errors = cell_errors(state)
        message.error.CopyFrom(estimate_message(state, errors, self._outputs.error_estimate))
        return {"error": errors.shares()}

    def complete(self, step: result_pb2.StepResult) -> None:
        """Add what was noted to the result of the step."""
        for number, message in self._told.items():
            step.frames[number].MergeFrom(message)
        step.probes.extend(self.probes.places())
        step.region_extremes.extend(envelope([f.region_extremes for f in step.frames]))
