"""Two processes that receive into the same records tell repeats as one does, on both databases."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.factories import a_dataset, some_pixels
from tests.receive.reception import a_reception
from xray_ai.domain.received import Repeat


def test_the_same_object_at_two_intakes_at_once_is_read_once(tmp_path: Path, database_url: str) -> None:
    with a_reception(tmp_path, database_url) as one, a_reception(tmp_path, database_url) as other:
        with ThreadPoolExecutor(2) as threads:
            sent = [threads.submit(reception.send, a_dataset()) for reception in (one, other)]
            repeats = sorted(receipt.result().repeat for receipt in sent)

        assert repeats == [Repeat.NEW, Repeat.SAME_BYTES]
        assert len(one.enqueued()) == 1


def test_other_pixels_at_two_intakes_at_once_are_one_conflict(tmp_path: Path, database_url: str) -> None:
    images = a_dataset(), a_dataset(some_pixels()[::-1].copy())

    with a_reception(tmp_path, database_url) as one, a_reception(tmp_path, database_url) as other:
        with ThreadPoolExecutor(2) as threads:
            sent = [threads.submit(each.send, image) for each, image in zip((one, other), images, strict=True)]
            repeats = sorted(receipt.result().repeat for receipt in sent)

        assert repeats == [Repeat.CONFLICT, Repeat.NEW]
