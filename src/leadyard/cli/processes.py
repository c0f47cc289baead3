"""Several server processes that share the sockets."""

from __future__ import annotations

from uvicorn.supervisors import Multiprocess


class Processes(Multiprocess):
    """uvicorn's, but that nobody can connect any more once it is told to stop."""

    def terminate_all(self) -> None:
        # While the parent keeps its sockets, the kernel goes on taking connections that nobody will ever serve.
        for each in self.sockets:
            each.close()
        super().terminate_all()
