"""REST for pipelines: list, create, get, change, delete, restore, duplicate, compare, run, script."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from jupyter_server.auth.decorator import authorized
from jupyter_server.utils import ensure_async
from tornado import web

from mlops_jupyter.core import wire
from mlops_jupyter.core.errors import InputError
from mlops_jupyter.core.jobs import Origin
from mlops_jupyter.core.limits import VERSIONS
from mlops_jupyter.core.pipelines import Pipeline, Recipe, changed, difference, recipe_of, spec_of
from mlops_jupyter.server.handler import Handler, person
from mlops_jupyter.server.jobs import Submitting
from mlops_jupyter.store import Reading
from mlops_jupyter.submissions import Run
from mlops_jupyter.training.tabular.script import script

_ETAG = re.compile(r'(?:W/)?"(\d{1,9})"')


class NewPipeline(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of a creation: a recipe, or the job that ran of which it is made."""

    name: str
    recipe: Recipe | None = None
    job_id: str | None = None


class PipelineChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of a PUT: the whole recipe, or the job it is made of; without ``name`` that stays."""

    recipe: Recipe | None = None
    job_id: str | None = None
    name: str | None = None


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of a run: which version (null: the newest), and fields of its recipe to change for this run."""

    version: int | None = None
    changes: dict[str, Any] = msgspec.field(default_factory=dict)


class Copy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of a duplication."""

    name: str
    version: int | None = None


class PipelineReply(Handler):
    """What answers with one pipeline."""

    def reply_with(self, pipeline: Pipeline, status: int = 200) -> None:
        """The version that is sent is its entity tag: who changes it says which he has seen."""
        self.set_header("ETag", f'"{pipeline.version}"')
        self.reply(pipeline, status)

    async def recipe(self, said: NewPipeline | PipelineChange) -> Recipe:
        """What a body has for a recipe."""
        if (said.recipe is None) == (said.job_id is None):
            raise InputError("The body has either a recipe or a job_id.")
        if said.job_id is None:
            assert said.recipe is not None
            return said.recipe
        async with self.ordered(said.job_id) as job:
            return recipe_of(await self.rooms.store.aread(lambda reading: reading.spec(job.job_id)))

    def version(self, name: str) -> int | None:
        """A version named in the query."""
        version = self.number(name, None, 1, VERSIONS)
        return None if version is None else int(version)


class PipelinesHandler(PipelineReply):
    """All pipelines, and the door for a new one."""

    @web.authenticated
    @authorized("read", "mlops.pipelines")
    async def get(self) -> None:
        epoch = self.rooms.store.epoch

        def listed(reading: Reading) -> bytes:
            return wire.with_list(
                {"epoch": epoch, "head": reading.head()}, "pipelines", reading.pipelines.listed()
            )

        self.send(await self.rooms.store.aread(listed))

    @web.authenticated
    @authorized("write", "mlops.pipelines")
    async def post(self) -> None:
        new = self.body(NewPipeline)
        by = person(self.current_user)
        self.reply_with(await self.rooms.pipelines.create(new.name, await self.recipe(new), by), status=201)


class PipelineHandler(PipelineReply):
    @web.authenticated
    @authorized("read", "mlops.pipelines")
    async def get(self, pipeline_id: str) -> None:
        self.reply_with(await self.rooms.pipelines.shown(pipeline_id, self.version("version")))

    @web.authenticated
    @authorized("write", "mlops.pipelines")
    async def put(self, pipeline_id: str) -> None:
        """Only on what has been seen: without ``If-Match`` somebody's change could be lost unseen."""
        said = self.request.headers.get("If-Match")
        if said is None:
            raise web.HTTPError(428, reason="Send If-Match with the version that was changed")
        match = _ETAG.fullmatch(said.strip())
        if match is None:
            raise InputError('If-Match is the ETag of a version: "3".')
        change = self.body(PipelineChange)
        by = person(self.current_user)
        recipe = await self.recipe(change)
        self.reply_with(
            await self.rooms.pipelines.update(pipeline_id, int(match[1]), change.name, recipe, by)
        )

    @web.authenticated
    @authorized("write", "mlops.pipelines")
    async def delete(self, pipeline_id: str) -> None:
        self.reply_with(await self.rooms.pipelines.delete(pipeline_id, person(self.current_user)))


class PipelineRestoreHandler(PipelineReply):
    """Undoes a deletion, for a day."""

    @web.authenticated
    @authorized("write", "mlops.pipelines")
    async def post(self, pipeline_id: str) -> None:
        self.reply_with(await self.rooms.pipelines.restore(pipeline_id, person(self.current_user)))


class PipelineDuplicateHandler(PipelineReply):
    """A new pipeline with the recipe of this one, or of an earlier version of it."""

    @web.authenticated
    @authorized("write", "mlops.pipelines")
    async def post(self, pipeline_id: str) -> None:
        asked = self.body(Copy)
        shown = await self.rooms.pipelines.shown(pipeline_id, asked.version)
        by = person(self.current_user)
        self.reply_with(await self.rooms.pipelines.create(asked.name, shown.recipe, by), status=201)


class PipelineCompareHandler(PipelineReply):
    """In what two versions differ; by default the newest from the one before."""

    @web.authenticated
    @authorized("read", "mlops.pipelines")
    async def get(self, pipeline_id: str) -> None:
        after = await self.rooms.pipelines.shown(pipeline_id, self.version("to"))
        before = await self.rooms.pipelines.shown(
            pipeline_id, self.version("from") or max(after.version - 1, 1)
        )
        self.reply(difference(before.recipe, after.recipe))


class PipelineRunHandler(Submitting):
    """A job of a pipeline's recipe."""

    @web.authenticated
    @authorized("execute", "mlops.pipelines")
    async def post(self, pipeline_id: str) -> None:
        if not await ensure_async(
            self.authorizer.is_authorized(self, self.current_user, "execute", "mlops.jobs")
        ):
            raise web.HTTPError(403, reason="A run is a job: it needs execute on mlops.jobs")
        asked = self.body(Asked)
        shown = await self.rooms.pipelines.shown(pipeline_id, asked.version)
        recipe = changed(shown.recipe, asked.changes)
        origin = Origin(id=shown.id, name=shown.name, version=shown.version)
        await self.submit(spec_of(recipe, shown.name), run=Run(origin, difference(shown.recipe, recipe)))


class PipelineScriptHandler(PipelineReply):
    """A plain Python script that trains the same model."""

    @web.authenticated
    @authorized("read", "mlops.pipelines")
    async def get(self, pipeline_id: str) -> None:
        shown = await self.rooms.pipelines.shown(pipeline_id, self.version("version"))
        # A name of a user's stands in no header: the id does.
        name = f"{shown.id}-v{shown.version}.py"
        self.set_header("Content-Disposition", f'attachment; filename="{name}"')
        self.set_header("X-Content-Type-Options", "nosniff")
        spec = await self.rooms.supervisor.submissions.with_datasets(spec_of(shown.recipe, shown.name))
        body = script(spec, f"{shown.name} v{shown.version}")
        self.finish(body, set_content_type="text/x-python; charset=utf-8")


ID = r"(p-[0-9a-z]{12})"
handlers = [
    ("pipelines", PipelinesHandler),
    (f"pipelines/{ID}", PipelineHandler),
    (f"pipelines/{ID}/restore", PipelineRestoreHandler),
    (f"pipelines/{ID}/duplicate", PipelineDuplicateHandler),
    (f"pipelines/{ID}/compare", PipelineCompareHandler),
    (f"pipelines/{ID}/run", PipelineRunHandler),
    (f"pipelines/{ID}/script", PipelineScriptHandler),
]
