"""The commands that run the service: all of it, or one of its processes."""

from typing import Annotated

import typer

from xray_ai import service
from xray_ai.durable import Queue
from xray_ai.terminal import ConfigOption, settings_for_service

commands = typer.Typer()


@commands.command()
def serve(config: ConfigOption = None) -> None:
    """Run the service: receive by C-STORE, read, report, deliver; SIGTERM ends it in order."""
    service.serve(settings_for_service(config, "service"), config)


@commands.command()
def receive(config: ConfigOption = None) -> None:
    """Receive by C-STORE only; one of the processes of `serve`, for a machine of its own."""
    service.receive(settings_for_service(config, "receiver"))


@commands.command()
def api(config: ConfigOption = None) -> None:
    """Answer over HTTP only: worklist, studies, deliveries, health, metrics; one of the processes of `serve`."""
    service.api(settings_for_service(config, "api"))


@commands.command()
def work(
    queue: Annotated[list[Queue], typer.Option(help="What to work on; may be given several times.")],
    config: ConfigOption = None,
) -> None:
    """Work on queues only: read radiographs, compose reports, deliver results."""
    service.work(settings_for_service(config, service.role_of(queue)), queue)
