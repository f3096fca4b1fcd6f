# Copyright 2026 dads_ros developers
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.

"""A half on a GPU: one CUDA graph, warmed up, with pinned memory on both ends."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import contextmanager
from statistics import median
import threading
import warnings

from dads_ros.errors import ConfigError
import torch
from torch import fx

_WARM_UPS = (
    3  # libraries choose kernels and take memory in the first runs, which no graph may hold
)
# torch allows one capture underway in a process; and what precision() sets is the process's.
_recording = threading.Lock()


class Graphed:
    """
    The operators of a half, recorded once and replayed as a whole.

    Takes tensors on the device, gives tensors in pinned memory of the host. Calls take turns,
    because a graph has one set of inputs and outputs; so do recordings of one process.

    :param inputs: tensors of the shapes and strides that will come; they become the graph's own.
    :param dtypes: of the outputs, which are what the reference has, whatever was computed with.
    :param half_precision: compute in float16 where autocast deems it safe.
    Raises ConfigError when an operator cannot be recorded.
    """

    def __init__(
        self,
        module: fx.GraphModule,
        inputs: Sequence[torch.Tensor],
        dtypes: Sequence[torch.dtype],
        half_precision: bool,
    ) -> None:
        self._module = module
        self._inputs = tuple(inputs)
        self._dtypes = tuple(dtypes)
        self._half_precision = half_precision
        self._lock = threading.Lock()
        self._graph = torch.cuda.CUDAGraph()
        device = self._inputs[0].device
        try:
            with _recording, torch.inference_mode(), torch.cuda.device(device):
                self._outputs = self._record(device)
        except RuntimeError as error:
            reason = str(error).splitlines()[0]
            raise ConfigError(
                f'this half cannot be recorded as a CUDA graph ({reason:.120}); use device cpu'
            ) from error

    def __call__(self, *tensors: torch.Tensor) -> list[torch.Tensor]:
        """Replay on new inputs."""
        device = self._inputs[0].device
        with self._lock, torch.cuda.device(device):
            for own, tensor in zip(self._inputs, tensors, strict=True):
                own.copy_(tensor, non_blocking=True)
            self._graph.replay()
            return fetch(self._outputs)

    def replay_s(self, repeats: int) -> float:
        """Return the median seconds of the GPU for a replay, without inputs, outputs and call."""
        device = self._inputs[0].device
        taken = []
        with self._lock, torch.cuda.device(device):
            for _ in range(repeats):
                ends = [torch.cuda.Event(enable_timing=True) for _ in range(2)]
                ends[0].record()
                self._graph.replay()
                ends[1].record()
                torch.cuda.synchronize(device)
                taken.append(ends[0].elapsed_time(ends[1]) / 1e3)
        return median(taken)

    def _record(self, device: torch.device) -> tuple[torch.Tensor, ...]:
        before = torch.cuda.current_stream(device)
        aside = torch.cuda.Stream(device)
        aside.wait_stream(before)
        try:
            with torch.cuda.stream(aside), precision(self._half_precision):
                for _ in range(_WARM_UPS):
                    self._compute()
                # Thread-local: another worker may use the GPU while this one records.
                with (
                    warnings.catch_warnings(),
                    torch.cuda.graph(self._graph, stream=aside, capture_error_mode='thread_local'),
                ):
                    # A half of views alone, which look at a tensor in another way.
                    warnings.filterwarnings('ignore', 'The CUDA Graph is empty')
                    outputs = self._compute()
            before.wait_stream(aside)
        finally:
            torch.cuda.set_stream(before)  # a recording that fails leaves the thread on its own
        return outputs

    def _compute(self) -> tuple[torch.Tensor, ...]:
        outputs = self._module(*self._inputs)
        return tuple(o.to(dtype) for o, dtype in zip(outputs, self._dtypes, strict=True))


def send(tensor: torch.Tensor, device: torch.device) -> torch.Tensor:
    """Return a tensor of the host on a GPU; the copy may still be under way on its stream."""
    # Pinned memory comes from torch's cache, which keeps it until the copy is done.
    return tensor.pin_memory().to(device, non_blocking=True)


def fetch(tensors: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    """Return tensors of a GPU in pinned memory of the host, once they are there."""
    results = [torch.empty_like(tensor, device='cpu', pin_memory=True) for tensor in tensors]
    for result, tensor in zip(results, tensors, strict=True):
        result.copy_(tensor, non_blocking=True)
    torch.cuda.current_stream(tensors[0].device).synchronize()
    return results


@contextmanager
def precision(half: bool) -> Iterator[None]:
    """
    Compute on the GPU as a half of this precision does.

    :param half: in float16 where autocast deems it safe; otherwise in float32 as the reference
        does, without TF32, which keeps 10 bits of 23: convolutions alone take it by default.
    """
    if half:
        with torch.autocast('cuda', torch.float16, cache_enabled=False):
            yield
        return
    convolutions = torch.backends.cudnn.conv  # type: ignore[attr-defined]
    before = convolutions.fp32_precision
    try:
        convolutions.fp32_precision = 'ieee'
        yield
    finally:
        convolutions.fp32_precision = before
