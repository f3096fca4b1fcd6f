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

"""What all nodes share: lifecycle with clear failures, autostart, and an orderly end."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
import gc
import signal
import sys
import threading
import traceback
from typing import Any
from typing import Generic
from typing import TypeVar

from dads_ros.errors import DadsError
from dads_ros.nodes import events
from dads_ros.nodes import parameters
from dads_ros.nodes.worker import Worker
from rcl_interfaces.msg import SetParametersResult
import rclpy
from rclpy._rclpy_pybind11 import RCLError
from rclpy.executors import SingleThreadedExecutor
from rclpy.lifecycle import LifecycleNode
from rclpy.lifecycle import LifecycleState
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile
from rclpy.signals import SignalHandlerOptions

Settings = TypeVar('Settings')
# What a node may hold, and how it is destroyed.
_KINDS = {
    'subscriptions': 'destroy_subscription',
    'services': 'destroy_service',
    'timers': 'destroy_timer',
    'publishers': 'destroy_lifecycle_publisher',
}


class DadsNode(LifecycleNode, Generic[Settings]):
    """
    A lifecycle node whose subclass says what to do on each transition.

    A subclass overrides ``configure``, ``activate``, ``deactivate`` and ``cleanup``; each may
    raise DadsError, which is told in one line and fails the transition. Topics, services and
    timers that a node makes in ``configure`` or later are destroyed after ``cleanup``.
    """

    def __init__(self, name: str, settings: type[Settings]) -> None:
        super().__init__(name)
        self._settings_type = settings
        self.declare_parameter('autostart', True)
        parameters.declare(self, settings)
        self.settings: Settings = parameters.read(self, settings)
        self.add_on_set_parameters_callback(self._change)
        # What rclpy itself has made: its services and publishers outlive cleanup.
        self._given = {id(entity) for kind in _KINDS for entity in getattr(self, kind)}
        self.exit_status = 0
        self.finished = threading.Event()

    def configure(self) -> None:
        """Load what is slow to load."""

    def activate(self) -> None:
        """Begin to work."""

    def deactivate(self) -> None:
        """Stop working; may be activated again."""

    def cleanup(self) -> None:
        """Let go of what configure loaded."""

    def settings_changed(self) -> None:
        """
        Take in parameters that are about to change while running.

        Raises a DadsError when the new ones do not do; they are refused then, with its text.
        """

    def create_subscription(  # type: ignore[override]
        self,
        msg_type: Any,
        topic: str,
        callback: Callable[[Any], None],
        qos_profile: QoSProfile,
        **rest: Any,
    ) -> Any:
        """Subscribe; when nothing can be received, it is logged why."""
        if isinstance(qos_profile, QoSProfile):
            rest.setdefault('event_callbacks', events.of_subscription(self, topic, qos_profile))
        return Node.create_subscription(self, msg_type, topic, callback, qos_profile, **rest)

    def create_lifecycle_publisher(  # type: ignore[override]
        self, msg_type: Any, topic: str, qos_profile: QoSProfile, **rest: Any
    ) -> Any:
        """Return a publisher that is silent unless active; who cannot receive is logged."""
        rest.setdefault('event_callbacks', events.of_publisher(self, topic))
        return LifecycleNode.create_lifecycle_publisher(self, msg_type, topic, qos_profile, **rest)

    def on_configure(self, _: LifecycleState) -> TransitionCallbackReturn:
        """Handle the configure transition."""
        result = self._transition(self.configure)
        if result != TransitionCallbackReturn.SUCCESS:
            self._undo(self.cleanup)
            self._destroy_entities()
        return result

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Handle the activate transition."""
        # Publishers first: work begins in activate, and its first product must not be lost.
        super().on_activate(state)
        result = self._transition(self.activate)
        if result == TransitionCallbackReturn.SUCCESS:
            self.get_logger().info('active')
        else:
            self._undo(self.deactivate)
            super().on_deactivate(state)
        return result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Handle the deactivate transition."""
        result = self._transition(self.deactivate)
        super().on_deactivate(state)
        return result

    def on_cleanup(self, _: LifecycleState) -> TransitionCallbackReturn:
        """Handle the cleanup transition."""
        result = self._transition(self.cleanup)
        self._destroy_entities()
        return result

    def on_shutdown(self, _: LifecycleState) -> TransitionCallbackReturn:
        """Handle the shutdown transition."""
        return self._transition(self.stop)

    def on_error(self, _: LifecycleState) -> TransitionCallbackReturn:
        """Let go of everything after a transition that went wrong; the node may try again."""
        self._undo(self.stop)
        return TransitionCallbackReturn.SUCCESS

    def destroy_node(self) -> None:
        """Destroy the node and all that it holds."""
        super().destroy_node()
        # rclpy forgets a lifecycle's services. They hold the node's participant, which would live
        # until the process ends, and leave its shared memory, 17 MB, behind for ever.
        self._state_machine.destroy_when_not_in_use()

    def stop(self) -> None:
        """Stop whatever runs; called once at the end in any state."""
        self.deactivate()
        self.cleanup()
        self._destroy_entities()

    def fail(self, what: str) -> None:
        """End the process with an error; callable from any thread."""
        self.get_logger().fatal(what)
        self.exit_status = 1
        self.finished.set()

    def finish(self) -> None:
        """End the process, its work being done; callable from any thread."""
        self.finished.set()

    def autostart(self) -> bool:
        """Configure and activate unless the parameter says that somebody else will."""
        if not self.get_parameter('autostart').value:
            return True
        done = TransitionCallbackReturn.SUCCESS
        return self.trigger_configure() == done and self.trigger_activate() == done

    def _change(self, changes: Sequence[Parameter]) -> SetParametersResult:
        """Take in parameters before rclpy does, which asks nobody else; refuse with the reason."""
        before = self.settings
        try:
            if ours := parameters.checked(self._settings_type, changes):
                self.settings = replace(before, **ours)  # type: ignore[type-var]
                self.settings_changed()
        except DadsError as error:
            self.settings = before
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    def _destroy_entities(self) -> None:
        for kind, destroy in _KINDS.items():
            for entity in list(getattr(self, kind)):
                if id(entity) not in self._given:
                    getattr(self, destroy)(entity)

    def _undo(self, action: Callable[[], None]) -> None:
        """Do what takes something back that was done in part; what went wrong is told already."""
        with suppress(Exception):
            action()

    def _transition(self, action: Callable[[], None]) -> TransitionCallbackReturn:
        try:
            action()
        except DadsError as error:
            self.get_logger().error(str(error))
            return TransitionCallbackReturn.FAILURE
        except Exception:  # rclpy would swallow the traceback
            self.get_logger().error(traceback.format_exc())
            return TransitionCallbackReturn.ERROR
        return TransitionCallbackReturn.SUCCESS


def _end_with_thread(nodes: Sequence[DadsNode[Any]], failure: threading.ExceptHookArgs) -> None:
    """End the process when one of its threads has: without it, the others do half of the work."""
    if failure.exc_value is not None and not nodes[0].finished.is_set():
        nodes[0].fail(''.join(traceback.format_exception(failure.exc_value)))


def run(*makers: Callable[[], DadsNode]) -> int:
    """
    Run nodes until told to stop (SIGINT, SIGTERM), or until one fails or has finished.

    Each has an executor in a thread of its own: none waits for another's callbacks. The main
    thread waits for signals, and what a node does last can still be published, which rclpy's own
    handlers would not allow.

    :return: the exit status: 0 stopped or finished, 1 failed.
    """
    try:
        rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
        nodes = [make() for make in makers]
    except (DadsError, RCLError) as error:  # the latter: a keystore that is wrong, say
        print(f'error: {" ".join(str(error).split())}', file=sys.stderr)
        rclpy.try_shutdown()
        return 1
    finished = threading.Event()
    for node in nodes:
        node.finished = finished
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: finished.set())
    threading.excepthook = partial(_end_with_thread, nodes)
    spinning = [_spin(node) for node in nodes]
    for node in nodes:
        if not finished.is_set() and not node.autostart():
            node.exit_status = 1
            finished.set()
    finished.wait()
    for node, (executor, spinner) in zip(nodes, spinning, strict=True):
        executor.shutdown()
        spinner.stop()
        node.stop()
        node.destroy_node()
    rclpy.try_shutdown()
    for number in (signal.SIGINT, signal.SIGTERM):  # a second must not spoil the exit status
        signal.signal(number, signal.SIG_IGN)
    # torch leaves half a million objects, which the interpreter would search for garbage as it
    # ends: a second for nothing.
    gc.freeze()
    return max(node.exit_status for node in nodes)


def _spin(node: DadsNode) -> tuple[SingleThreadedExecutor, Worker]:
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    return executor, Worker('executor', lambda _: executor.spin(), node.fail)
