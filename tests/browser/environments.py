"""A second virtual environment that has the packages of the running one: another interpreter and
prefix, as a kernel beside a server usually has, made in a tenth of a second."""

from __future__ import annotations

import sysconfig
import venv
from pathlib import Path


def another_environment(folder: Path) -> Path:
    """Make it in ``folder`` and return its Python."""
    venv.EnvBuilder(symlinks=True, with_pip=False).create(folder)
    version = sysconfig.get_python_version()
    packages = folder / "lib" / f"python{version}" / "site-packages"
    # addsitedir, not a bare path: it also follows the .pth files of editable installs there.
    line = f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n"
    (packages / "packages_of_the_tests.pth").write_text(line)
    return folder / "bin" / "python"
