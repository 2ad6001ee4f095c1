"""The server is killed at random instants while clients submit: nothing acknowledged is lost, nothing runs twice."""

from __future__ import annotations

import random
import threading
import time

import grpc

from dougong.v1 import job_pb2
from server_harness import request, running_server

KILLS = 4
SUBMITTERS = 2


def test_kills_at_random_instants() -> None:
    with running_server() as server:
        mesh_id = server.upload().mesh_id
        acknowledged: dict[str, str] = {}
        stop = threading.Event()

        def submit() -> None:
            while not stop.is_set():
                wanted = request("solve", mesh_id)
                # A client repeats a request until it is answered, sometimes even then.
                for _ in range(200):
                    try:
                        job_id = server.jobs.SubmitJob(wanted, timeout=5).job_id
                    except (grpc.RpcError, ValueError):  # ValueError: the channel was closed by the killer.
                        time.sleep(0.05)
                        continue
                    assert acknowledged.setdefault(wanted.request_id, job_id) == job_id
                    if random.random() < 0.7:
                        break
                time.sleep(0.15)

        threads = [threading.Thread(target=submit) for _ in range(SUBMITTERS)]
        for thread in threads:
            thread.start()
        chance = random.Random(7)
        for _ in range(KILLS):
            time.sleep(chance.uniform(0.05, 0.6))
            server.kill()
            server.start()
        stop.set()
        for thread in threads:
            thread.join(60)
        assert len(acknowledged) >= KILLS
        ended = {job_id: server.wait(job_id, timeout=60) for job_id in acknowledged.values()}
        assert len(ended) == len(acknowledged)
        # A launch may be lost with the server and is then repeated; the job itself always comes to its true end.
        assert {job.state for job in ended.values()} == {job_pb2.Job.STATE_SUCCEEDED}
        for job_id, job in ended.items():
            events = server.events(job_id)
            assert [e.sequence for e in events] == list(range(1, len(events) + 1))
            assert len(list((server.data / "runs" / job_id).glob("*/outcome.pb"))) == 1, job
        jobs = server.jobs.ListJobs(job_pb2.ListJobsRequest(page_size=1000)).jobs
        # Unacknowledged ones may be there too, one for each request at most.
        assert len(jobs) <= len(acknowledged) + SUBMITTERS * (KILLS + 1)
