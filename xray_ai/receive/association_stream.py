"""The socket of one association: reads a mebibyte at a time, waits instead of polling, and never waits for ever.

pynetdicom 3.0.4 asks the kernel for 4,096 bytes a call, leaves Nagle's algorithm on, and puts no timeout on a
connection that it accepted, so that half a PDU holds two threads until the peer goes away.
"""

import os
import select
import socket
import threading
import time
from collections.abc import Callable

from pynetdicom.association import Association
from pynetdicom.transport import AssociationSocket

READ_BYTES = 2**20
LEAST_ROOM_BYTES = 2**17  # a read into less is not worth its call
WAIT_MS = 500  # how late a timer of the library may go off
Write = Callable[[memoryview], None]


class AssociationStream(AssociationSocket):
    """Bytes that were received but not yet asked for, and dataset bytes gathered in front of them.

    The buffer holds gathered bytes up to `_gathered`, a gap of PDU headers already read, and from `_start` to `_end`
    what is still to be read. A dataset thus reaches the disk in large pieces, however small its PDUs are.
    """

    def __init__(self, association: Association, connection: socket.socket, silence_s: float) -> None:
        super().__init__(association, client_socket=connection)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.deadline: float | None = None  # on the monotonic clock: when what is being read must be complete
        self._silence_s = silence_s
        self._buffer = memoryview(bytearray(READ_BYTES))
        self._gathered = self._start = self._end = 0
        self._lock = threading.Lock()
        self._doorbell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._poll = select.poll()
        self._poll.register(connection, select.POLLIN)
        self._poll.register(self._doorbell, select.POLLIN)

    @property
    def ready(self) -> bool:
        """Whether there is something to read; waits for that, or for `ring`, if the state machine is idle."""
        if self._start < self._end:
            return True
        if self.socket is None:
            return False
        wait_ms = WAIT_MS if self.event_queue.empty() else 0
        found = [number for number, _ in self._poll.poll(wait_ms)]
        if self._doorbell in found:
            os.eventfd_read(self._doorbell)
        return any(number != self._doorbell for number in found)

    def ring(self) -> None:
        """End the wait of the association's reactor: there is something to send."""
        with self._lock:
            if self._doorbell >= 0:
                os.eventfd_write(self._doorbell, 1)

    def dispose(self) -> None:
        """Give back connection, doorbell and buffer; called by the reactor's own thread as its last act."""
        with self._lock:
            doorbell, self._doorbell = self._doorbell, -1
        if doorbell >= 0:
            os.close(doorbell)
        self.hang_up()
        if self.socket is not None:
            self.socket.close()
        self._buffer = memoryview(b"")

    def hang_up(self) -> None:
        """End the connection for both sides, also while another thread waits on it."""
        connection = self.socket
        if connection is not None:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # it is down already

    def recv(self, nr_bytes: int) -> bytearray:
        """Read as much as asked for, or what came before the connection ended."""
        received = bytearray()
        while len(received) < nr_bytes and (self._start < self._end or self._receive()):
            taken = min(nr_bytes - len(received), self._end - self._start)
            received += self._buffer[self._start : self._start + taken]
            self._start += taken
        return received

    def peek(self, count: int, write: Write) -> memoryview:
        """The next bytes, left to be read again; gathered bytes are written where these need room.

        Raises: ConnectionError where the connection ends before; TimeoutError.
        """
        if self._end - self._start < count and self._start + count > len(self._buffer):
            self.write_gathered(write)
        while self._end - self._start < count:
            if not self._receive():
                raise ConnectionResetError
        return self._buffer[self._start : self._start + count]

    def skip(self, count: int) -> None:
        """Leave out bytes that `peek` showed."""
        self._start += count

    def gather(self, count: int, write: Write) -> None:
        """Add the next `count` bytes to those gathered before; writes them all whenever the buffer is full.

        Raises: ConnectionError where the connection ends before; TimeoutError.
        """
        while count:
            if self._start == self._end:
                if len(self._buffer) - self._gathered < LEAST_ROOM_BYTES:
                    self.write_gathered(write)
                if not self._receive():
                    raise ConnectionResetError
            moved = min(count, self._end - self._start)
            if self._gathered != self._start:
                gathered = self._gathered
                self._buffer[gathered : gathered + moved] = self._buffer[self._start : self._start + moved]
            self._gathered += moved
            self._start += moved
            count -= moved

    def write_gathered(self, write: Write) -> None:
        """Hand on what is gathered, and move what is left to the front."""
        if self._gathered:
            write(self._buffer[: self._gathered])
        self._gathered = 0
        self._move_rest()

    def _move_rest(self) -> None:
        rest = self._end - self._start
        self._buffer[self._gathered : self._gathered + rest] = self._buffer[self._start : self._end]
        self._start, self._end = self._gathered, self._gathered + rest

    def _receive(self) -> bool:
        """Read what the kernel has, behind what is there; False where the connection has ended."""
        if self._start == self._end or self._end == len(self._buffer):
            self._move_rest()
        if self.socket is None:
            return False
        self.socket.settimeout(self._allowed_s())
        count = self.socket.recv_into(self._buffer[self._end :])
        self._end += count
        return count > 0

    def _allowed_s(self) -> float:
        if self.deadline is None:
            return self._silence_s
        left_s = self.deadline - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        return min(self._silence_s, left_s)
