"""Steps recorded as CUDA graphs: the host starts a whole step in one call instead of some three hundred.

Knows steps and CUDA; must not know what a step computes. On the processor, and where several processes work together,
nothing is recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable

import torch

from worker.training.steps import Step


class Recorder:
    """Does `work` on each step; from the third step of the same size on as a recording of the second.

    A recording reads and writes the memory that it was recorded with: `phase` names everything that the work depends
    on and that is not a tensor kept in its place, and with another phase all is recorded anew.
    """

    def __init__(self, work: Callable[[Step], None], *, records: bool) -> None:
        self._work, self._records = work, records
        self._phase: Hashable = None
        self._begun: set[int] = set()
        self._recorded: dict[int, tuple[Step, torch.cuda.CUDAGraph]] = {}
        self.note: str | None = None
        """Why steps are not recorded although they should be."""

    def forget(self) -> None:
        """Drops all recordings and their memory."""
        if self._recorded:
            self._recorded.clear()
            torch.cuda.empty_cache()
        self._begun.clear()

    def __call__(self, step: Step, phase: Hashable) -> None:
        """Does the work on the step."""
        if not self._records:
            self._work(step)
            return
        if phase != self._phase:
            self.forget()
            self._phase = phase
        size = step.size
        if size not in self._begun:
            # Once as it is: libraries choose their algorithms, the optimiser makes its buffers.
            self._begun.add(size)
            self._work(step)
            return
        if size not in self._recorded and not self._record(step):
            self._work(step)
            return
        own, graph = self._recorded[size]
        for mine, given in zip(own.tensors(), step.tensors(), strict=True):
            mine.copy_(given)
        graph.replay()

    def _record(self, step: Step) -> bool:
        own = step.cloned()
        graph = torch.cuda.CUDAGraph()
        pool = next((each.pool() for _, each in self._recorded.values()), None)
        try:
            # A reading thread may pin memory meanwhile: only this thread's calls are recorded.
            with torch.cuda.graph(graph, pool=pool, capture_error_mode="thread_local"):
                self._work(own)
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:  # what torch raises for whatever cannot be recorded
            self.note = f"steps run unrecorded: {str(error).strip().partition(chr(10))[0][:200]}"
            self._records = False
            return False
        self._recorded[step.size] = own, graph
        return True
