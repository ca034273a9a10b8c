"""`send` and `destinations echo` speak with programs that are not ours."""

from pathlib import Path

import pytest
from pydicom import dcmread

from tests.command import Command, a_file
from tests.deliver.peers import a_program, free_port

pytestmark = pytest.mark.e2e


def test_storescp_holds_what_was_sent_unchanged(xray_ai: Command, tmp_path: Path) -> None:
    file = a_file("one.dcm")
    (tmp_path / "held").mkdir()

    with a_program(["storescp", "+B", "-od", str(tmp_path / "held"), "PORT"], tmp_path) as port:
        ended = xray_ai("send", file, "--to", f"ANY@127.0.0.1:{port}")

    (held,) = (tmp_path / "held").iterdir()
    assert ended.code == 0
    assert dcmread(held) == dcmread(file)


def test_a_receiver_that_refuses_us_needs_a_person(xray_ai: Command, tmp_path: Path) -> None:
    with a_program(["storescp", "--refuse", "PORT"], tmp_path) as port:
        ended = xray_ai("send", a_file("one.dcm"), "--to", f"ANY@127.0.0.1:{port}")

    assert ended.code == 2
    assert "rejected the association" in ended.err


def test_storescp_as_a_destination_is_told_what_it_takes(xray_ai: Command, tmp_path: Path) -> None:
    destination = '[[destinations]]\nname = "PACS"\nae_title = "ANY"\nhost = "127.0.0.1"\nport = {port}\n'
    with a_program(["storescp", "PORT"], tmp_path) as port:
        Path("xray-ai.toml").write_text(destination.format(port=port), "utf-8")
        ended = xray_ai("destinations", "echo", "PACS")

    assert ended.code == 0
    assert "Secondary captures: it takes uncompressed; uncompressed is sent." in ended.out


def test_no_program_at_all_may_be_one_later(xray_ai: Command) -> None:
    assert xray_ai("send", a_file("one.dcm"), "--to", f"ANY@127.0.0.1:{free_port()}").code == 3
