"""Access to a MED file (HDF5) that never leaves it and never believes a size.

HDF5 can point to other files: by external links, external storage and virtual datasets. All are refused, as are soft
links, which MED does not use.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dougong.meshes.formats._text import decode
from dougong.meshes.formats._textfile import shorten
from dougong.meshes.formats.base import ReadError

#: Deflate shrinks at most about so much.
_MOST_COMPRESSION = 1100


class MedGroup:
    """A group of the file.

    Parameters
    ----------
    h5py
        The module.
    group
        The group.
    """

    def __init__(self, h5py: Any, group: Any) -> None:
        self._h5py = h5py
        self._group = group
        self.path = str(group.name)

    def names(self) -> list[str]:
        """List what is in it, sorted."""
        return sorted(str(name) for name in self._group)

    def _get(self, name: str) -> Any:
        link = self._group.get(name, getlink=True)
        if link is None:
            return None
        if not isinstance(link, self._h5py.HardLink):
            raise ReadError("MESH_MED_LINK", path=shorten(f"{self.path}/{name}"))
        return self._group[name]

    def group(self, name: str) -> MedGroup | None:
        """Open a group of this name, if there is one."""
        found = self._get(name)
        return MedGroup(self._h5py, found) if isinstance(found, self._h5py.Group) else None

    def need(self, name: str) -> MedGroup:
        """Open a group of this name.

        Raises
        ------
        ReadError
            There is none.
        """
        found = self.group(name)
        if found is None:
            raise ReadError("MESH_MED_MISSING", path=shorten(f"{self.path}/{name}"))
        return found

    def integer(self, name: str, default: int | None = None) -> int:
        """Read an attribute that is one whole number."""
        value = self._group.attrs.get(name, default)
        number = np.asarray(value)
        if value is None or number.size != 1 or number.dtype.kind not in "iu":
            raise ReadError("MESH_MED_MISSING", path=shorten(f"{self.path}@{name}"))
        return int(number.reshape(-1)[0])

    def array(self, name: str, dtype: type[Any]) -> NDArray[Any] | None:
        """Read a dataset of numbers, if there is one.

        Raises
        ------
        ReadError
            It lies in another file, is larger than what the file holds, or holds something else.
        """
        data = self._get(name)
        if data is None:
            return None
        path = shorten(f"{self.path}/{name}")
        if not isinstance(data, self._h5py.Dataset):
            raise ReadError("MESH_MED_MISSING", path=path)
        if data.is_virtual or data.external:
            raise ReadError("MESH_MED_LINK", path=path)
        size = int(np.prod(data.shape, dtype=object)) if data.shape is not None else 0
        item = data.dtype.itemsize
        stored = int(data.id.get_storage_size())
        if data.id.get_create_plist().get_nfilters():
            stored *= _MOST_COMPRESSION
        if size * item > stored:
            raise ReadError("MESH_COUNT_IMPOSSIBLE", section=path, count=size, possible=stored // max(item, 1))
        kinds = "iu" if dtype is np.int64 else "fiu"
        if data.dtype.base.kind not in kinds:
            raise ReadError("MESH_MED_MISSING", path=path)
        return np.asarray(data[()], dtype=dtype)

    def numbers(self, name: str, dtype: type[Any]) -> NDArray[Any]:
        """Read a dataset of numbers that must be there, flat."""
        values = self.array(name, dtype)
        if values is None:
            raise ReadError("MESH_MED_MISSING", path=shorten(f"{self.path}/{name}"))
        return values.reshape(-1)

    def texts(self, name: str) -> list[str]:
        """Read a dataset of names of fixed length, each a row of characters."""
        rows = self.array(name, np.int64)
        if rows is None:
            return []
        rows = rows.reshape(len(rows) if rows.ndim > 1 else 1, -1) % 256
        return [decode(bytes(row.astype(np.uint8)).split(b"\0", 1)[0]).strip() for row in rows]
