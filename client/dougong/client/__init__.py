"""Python client of Dougong: meshes up, analyses in, results back.

from dougong.client import Client, load_analysis

"""

from dougong.client.aio import AsyncClient
from dougong.client.client import Client
from dougong.client.errors import ServerError, ServerUnreachable
from dougong.client.library import library, library_material
from dougong.client.receive import Array
from dougong.client.yaml_analysis import AnalysisFile, AnalysisFileError
from dougong.client.yaml_analysis import dump as dump_analysis
from dougong.client.yaml_analysis import load as load_analysis
from dougong.messages import Conflict, DataLoss, FemError, InputError, NotFound, ResourceLimit

__all__ = [
    "AnalysisFile",
    "AnalysisFileError",
    "Array",
    "AsyncClient",
    "Client",
    "Conflict",
    "DataLoss",
    "FemError",
    "InputError",
    "NotFound",
    "ResourceLimit",
    "ServerError",
    "ServerUnreachable",
    "dump_analysis",
    "library",
    "library_material",
    "load_analysis",
]
