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

from collections.abc import Sequence
from contextlib import AbstractContextManager
from contextlib import nullcontext
import threading

from dads_ros.errors import ConfigError
import torch
from torch import fx

_WARM_UPS = (
    3  # libraries choose kernels and take memory in the first runs, which no graph may hold
)


class Graphed:
    """
    The operators of a half, recorded once and replayed as a whole.

    Takes tensors on the device, gives tensors in pinned memory of the host. Calls take turns,
    because a graph has one set of inputs and outputs.

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
        try:
            with torch.inference_mode(), torch.cuda.device(self._inputs[0].device):
                self._outputs = self._record()
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
            results = [
                torch.empty_like(output, device='cpu', pin_memory=True) for output in self._outputs
            ]
            for result, output in zip(results, self._outputs, strict=True):
                result.copy_(output, non_blocking=True)
            torch.cuda.current_stream(device).synchronize()
        return results

    def _record(self) -> tuple[torch.Tensor, ...]:
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for _ in range(_WARM_UPS):
                self._compute()
        torch.cuda.current_stream().wait_stream(aside)
        # Thread-local: another worker may use the GPU while this one records.
        with torch.cuda.graph(self._graph, capture_error_mode='thread_local'):
            return self._compute()

    def _compute(self) -> tuple[torch.Tensor, ...]:
        with self._precision():
            outputs = self._module(*self._inputs)
        return tuple(o.to(dtype) for o, dtype in zip(outputs, self._dtypes, strict=True))

    def _precision(self) -> AbstractContextManager[object]:
        if not self._half_precision:
            return nullcontext()
        return torch.autocast('cuda', torch.float16, cache_enabled=False)
