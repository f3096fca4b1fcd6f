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

"""What all nodes share: lifecycle with clear failures, autostart, and a worker thread."""

from __future__ import annotations

from collections.abc import Callable
import signal
import sys
import threading
import traceback
from typing import Generic
from typing import TypeVar

from dads_ros.errors import DadsError
from dads_ros.nodes import parameters
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.lifecycle import LifecycleNode
from rclpy.lifecycle import LifecycleState
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.signals import SignalHandlerOptions

Settings = TypeVar('Settings')


class DadsNode(LifecycleNode, Generic[Settings]):
    """
    A lifecycle node whose subclass says what to do on each transition.

    A subclass overrides ``configure``, ``activate``, ``deactivate`` and ``cleanup``; each may
    raise DadsError, which is told in one line and fails the transition.
    """

    def __init__(self, name: str, settings: type[Settings]) -> None:
        super().__init__(name)
        self._settings_type = settings
        self.declare_parameter('autostart', True)
        parameters.declare(self, settings)
        self.settings: Settings = parameters.read(self, settings)
        self.add_on_set_parameters_callback(
            lambda changes: parameters.check_changes(settings, changes)
        )
        self.add_post_set_parameters_callback(lambda _: self._reread())
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
        """Take in parameters that changed while running."""

    def on_configure(self, _: LifecycleState) -> TransitionCallbackReturn:
        """Handle the configure transition."""
        return self._transition(self.configure)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Handle the activate transition."""
        # Publishers first: work begins in activate, and its first product must not be lost.
        super().on_activate(state)
        result = self._transition(self.activate)
        if result == TransitionCallbackReturn.SUCCESS:
            self.get_logger().info('active')
        return result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Handle the deactivate transition."""
        result = self._transition(self.deactivate)
        super().on_deactivate(state)
        return result

    def on_cleanup(self, _: LifecycleState) -> TransitionCallbackReturn:
        """Handle the cleanup transition."""
        return self._transition(self.cleanup)

    def on_shutdown(self, _: LifecycleState) -> TransitionCallbackReturn:
        """Handle the shutdown transition."""
        return self._transition(self.stop)

    def stop(self) -> None:
        """Stop whatever runs; called once at the end in any state."""
        self.deactivate()
        self.cleanup()

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

    def _reread(self) -> None:
        self.settings = parameters.read(self, self._settings_type)
        self.settings_changed()

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


class Worker:
    """
    A thread that calls ``step(timeout_s)`` until stopped.

    :param failed: called with the traceback when a step raises; the thread ends then.
    """

    def __init__(
        self, name: str, step: Callable[[float], object], failed: Callable[[str], None]
    ) -> None:
        self._step = step
        self._failed = failed
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread and wait for it."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._step(0.2)
        except Exception:
            self._failed(traceback.format_exc())


def run(make: Callable[[], DadsNode]) -> int:
    """
    Run one node until it is told to stop (SIGINT, SIGTERM), fails or has finished.

    The executor has a thread of its own: the main one waits for signals, and what the node does
    last can still be published, which rclpy's own handlers would not allow.

    :return: the exit status: 0 stopped or finished, 1 failed.
    """
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    try:
        node = make()
    except DadsError as error:
        print(f'error: {error}', file=sys.stderr)
        rclpy.try_shutdown()
        return 1
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: node.finish())
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    spinner = Worker('executor', lambda _: executor.spin(), node.fail)
    if node.autostart():
        node.finished.wait()
    else:
        node.exit_status = 1
    executor.shutdown()
    spinner.stop()
    node.stop()
    node.destroy_node()
    rclpy.try_shutdown()
    return node.exit_status
