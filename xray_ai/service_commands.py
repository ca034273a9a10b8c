"""The commands that run the service: all of it, one of its processes, or its demonstration."""

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from xray_ai import service
from xray_ai.demo import Shown, demo_images, push, running_service, watch, went_as_it_should
from xray_ai.durable import Queue
from xray_ai.errors import OperatorNeeded
from xray_ai.terminal import ConfigOption, console, settings_for_command, settings_for_service

commands = typer.Typer()


@commands.command()
def serve(config: ConfigOption = None) -> None:
    """Run the service: receive by C-STORE, read, report, deliver; SIGTERM ends it in order."""
    service.serve(settings_for_service(config, "service"))


@commands.command()
def receive(config: ConfigOption = None) -> None:
    """Receive by C-STORE only; one of the processes of `serve`, for a machine of its own."""
    service.alone(service.receive, settings_for_service(config, "receiver"))


@commands.command()
def api(config: ConfigOption = None) -> None:
    """Answer over HTTP only: worklist, studies, deliveries, health, metrics; one of the processes of `serve`."""
    service.alone(service.api, settings_for_service(config, "api"))


@commands.command()
def work(
    queue: Annotated[list[Queue], typer.Option(help="What to work on; may be given several times.")],
    config: ConfigOption = None,
) -> None:
    """Work on queues only: read radiographs, compose reports, deliver results."""
    service.alone(partial(service.work, queues=queue), settings_for_service(config, service.role_of(queue)))


@commands.command()
def demo(
    *,
    once: Annotated[bool, typer.Option("--once", envvar="ONCE", help="End the service when all is shown.")] = False,
    config: ConfigOption = None,
) -> None:
    """Run the service, push a real chest radiograph and a tibia to it, and show what becomes of them."""
    settings = settings_for_command(config)
    images = demo_images()
    with running_service(settings, config) as process:
        console.print(f"The service runs on {settings.storage.root}. Two radiographs are pushed by C-STORE.")
        pushed = push(settings, images)
        worklist: tuple[Shown, ...] = ()
        for worklist in watch(settings, pushed):
            console.print(_worklist_table(images, worklist))
        for path in worklist[0].results:
            console.print(f"result: {path}")
        if not went_as_it_should(*worklist):
            raise OperatorNeeded(
                "The demonstration went another way: the chest should be read and the tibia refused by its body part.",
                remedy="Run `xray-ai doctor`.",
            )
        console.print("The chest was read and the tibia refused, as they should be.")
        if not once:
            console.print(f"Worklist: http://127.0.0.1:{settings.http.port}/api/worklist. Ctrl-C ends the service.")
            process.wait()


def _worklist_table(images: Iterable[Path], worklist: Iterable[Shown]) -> Table:
    table = Table("image", "status", "priority", "because", "results", box=None, header_style="bold", pad_edge=False)
    for image, line in zip(images, worklist, strict=True):
        study = line.study
        because = study.reason or ", ".join(study.because)
        status = study.status.value.replace("_", " ")
        table.add_row(image.name, status, study.priority.name, because, str(len(line.results)))
    return table
