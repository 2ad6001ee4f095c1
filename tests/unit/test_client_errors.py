"""Errors come back from the wire as what they were: server/api/errors.py and client/errors.py are inverse."""

import grpc
import pytest

from dougong.client.errors import ServerError, ServerUnreachable, from_rpc
from dougong.messages import (
    Conflict,
    DataLoss,
    FemError,
    InputError,
    NotFound,
    ResourceLimit,
    all_reasons,
    catalogue,
    render,
    violation,
)
from dougong.server.api.errors import code_of, status_of


class WireError(grpc.RpcError):
    def __init__(self, code, message, metadata=()):
        self._parts = code, message, metadata

    def code(self):
        return self._parts[0]

    def details(self):
        return self._parts[1]

    def trailing_metadata(self):
        return self._parts[2]


def over_the_wire(error):
    status = status_of(error)
    metadata = (("x-other", "1"), ("grpc-status-details-bin", status.SerializeToString()))
    return from_rpc(WireError(code_of(error), status.message, metadata), "unix:/s")


@pytest.mark.parametrize("kind", [NotFound, Conflict, ResourceLimit, DataLoss])
@pytest.mark.parametrize("reason", ["JOB_NOT_FOUND", "RESULT_DAMAGED", "REQUEST_ID_REUSED", "QUEUE_FULL"])
def test_class_reason_parameters_and_sentences_survive(kind, reason):
    sent = kind(reason, file="a", job_id="b", request_id="c", limit=3)
    got = over_the_wire(sent)
    assert type(got) is kind
    assert got.reason == reason
    assert got.params == sent.params
    assert (got.text("en"), got.text("zh")) == (sent.text("en"), sent.text("zh"))


def test_every_reason_of_the_catalogue_survives():
    for reason in sorted(all_reasons()):
        assert over_the_wire(NotFound(reason)).reason == reason, catalogue()[reason]


def test_violations_survive_with_their_places_and_ids():
    found = [violation("RESULT_DAMAGED", f"steps[{k}]", file="x", cell_ids=[1, 2]) for k in range(5)]
    got = over_the_wire(InputError(found))
    assert type(got) is InputError
    assert got.violations == found


def test_of_many_violations_the_first_come_and_the_rest_is_counted():
    found = [violation("RESULT_DAMAGED", f"steps[{k}]", file="x" * 150) for k in range(90)]
    got = over_the_wire(InputError(found))
    shown = len(got.violations) - 1
    assert shown > 2
    assert got.violations[:shown] == found[:shown]
    assert got.violations[-1].params["count"] == str(90 - shown)


def test_what_has_no_details_is_told_too():
    def got(code, message="boom", metadata=None):
        return from_rpc(WireError(code, message, metadata), "h:1")

    assert type(got(grpc.StatusCode.UNAVAILABLE)) is ServerUnreachable
    assert type(got(grpc.StatusCode.DEADLINE_EXCEEDED)) is ServerUnreachable
    for code in (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNIMPLEMENTED, grpc.StatusCode.UNKNOWN):
        error = got(code)
        assert type(error) is ServerError
        assert "boom" in str(error)
    assert type(got(grpc.StatusCode.INVALID_ARGUMENT)) is InputError
    # Details that cannot be read must not hide the error.
    damaged = got(grpc.StatusCode.NOT_FOUND, metadata=(("grpc-status-details-bin", b"\xff\xff"),))
    assert type(damaged) is NotFound
    assert isinstance(damaged, FemError)


@pytest.mark.parametrize("nothing", ["-", ""])
def test_an_empty_list_of_names_is_told_in_words(nothing):
    params = {"frame": "-", "known": nothing}
    assert render("FRAME_UNKNOWN", params).endswith("combination named -. It has: none.")
    assert render("FRAME_UNKNOWN", params, "zh").endswith("现有：无。")
    assert render("FRAME_UNKNOWN", {"frame": "b", "known": "a"}).endswith("It has: a.")
