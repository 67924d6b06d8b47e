"""Which file systems are on the other side of a network. Not here: what the store does about it."""

from __future__ import annotations

import re
from pathlib import Path

#: What is shared between machines, or served by a program that may do as it likes with locks and maps.
NETWORK = {
    *("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "beegfs", "ceph", "gfs2", "glusterfs", "gpfs"),
    *("lustre", "ncpfs", "ocfs2", "orangefs", "panfs", "pvfs2", "virtiofs", "vboxsf", "wekafs"),
}
_ESCAPE = re.compile(r"\\([0-7]{3})")


def network(mountinfo: str, path: Path) -> str | None:
    """The type of the file system ``path`` (absolute, without links) is on, if it is a network's.

    ``mountinfo`` is the text of ``/proc/self/mountinfo``; of two mounts on one place, the later counts.
    """
    kind, longest = None, -1
    for line in mountinfo.splitlines():
        fields, _, of_system = line.partition(" - ")
        if len(fields.split()) < 5 or not of_system:
            continue
        place = Path(_ESCAPE.sub(lambda found: chr(int(found[1], 8)), fields.split()[4]))
        if path.is_relative_to(place) and len(place.parts) >= longest:
            kind, longest = of_system.split()[0], len(place.parts)
    return kind if kind is not None and (kind in NETWORK or kind.startswith("fuse")) else None
