"""The thread that `run()` is in, seen from another one."""

import ctypes
import threading

from liveops.exceptions import OperationCancelled


class RunThread:
    """Made by the thread of the run. Another thread may interrupt it, but not its aftermath."""

    def __init__(self) -> None:
        self._id = threading.get_ident()
        self._lock = threading.Lock()
        self._inside = True

    def interrupt(self) -> bool:
        """Raise OperationCancelled in the run at its next line of Python; False: it is over.

        A call into C that does not come back is not interrupted, and code that catches
        BaseException goes on.
        """
        with self._lock:
            if self._inside:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(
                    ctypes.c_ulong(self._id), ctypes.py_object(OperationCancelled)
                )
            return self._inside

    def leave(self) -> None:
        """Called by the run's thread when `run()` is over; an interrupt on its way arrives here."""
        with self._lock:
            self._inside = False
