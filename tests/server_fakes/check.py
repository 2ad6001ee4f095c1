"""A check child that looks only at the name of the analysis: "invalid N", "hang", "die", "babble", or all is well.

"memory MB" takes so much memory and keeps it; to this and to "pid" the answer's number of unknowns is the process.
"""

from __future__ import annotations

import os
import sys
import time

from dougong.internal import run_pb2
from dougong.messages import violation
from dougong.v1 import job_pb2


def _send(message: run_pb2.CheckHello | run_pb2.CheckReply) -> None:
    data = message.SerializeToString()
    sys.stdout.buffer.write(len(data).to_bytes(4, "big") + data)
    sys.stdout.buffer.flush()


def main() -> None:
    _send(run_pb2.CheckHello(cell_types=["tet4"], procedures=["static"]))
    held = []
    while head := sys.stdin.buffer.read(4):
        request = run_pb2.CheckRequest.FromString(sys.stdin.buffer.read(int.from_bytes(head, "big")))
        what, _, argument = request.analysis.name.partition(" ")
        if what == "hang":
            time.sleep(60)
        if what == "die":
            os._exit(3)
        if what == "babble":
            sys.stdout.buffer.write(b"\xff\xff\xff\xffnonsense")
            sys.stdout.buffer.flush()
            continue
        if what == "memory":
            held.append(b"x" * (int(argument) << 20))
        dofs = os.getpid() if what in ("memory", "pid") else 12
        count = int(argument) if what == "invalid" else 0
        ids = range(1, 200)
        found = [violation("FIELD_MISSING", f"steps[{k}].name", name="网格" * 20, node_ids=ids) for k in range(count)]
        reply = run_pb2.CheckReply(sequence=request.sequence, violations=found)
        reply.estimate.CopyFrom(job_pb2.Estimate(dofs=dofs, memory_bytes=1 << 20, seconds=0.5))
        _send(reply)


if __name__ == "__main__":
    main()
