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

"""The page in headless Chromium: no word in its console, right in light, dark and on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
import shutil

from dads_ros.report.write import write_report
import pytest
from synthetic_runs import make_graph
from synthetic_runs import write_session

sync_api = pytest.importorskip('playwright.sync_api', reason='needs playwright (pip)')

# Debian's Chromium would otherwise look for updates and hosts that a test has no business with.
FLAGS = (
    '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync',
)  # fmt: skip
SCREENS = {
    'light': {'viewport': {'width': 1280, 'height': 900}, 'color_scheme': 'light'},
    'dark': {'viewport': {'width': 1280, 'height': 900}, 'color_scheme': 'dark'},
    'phone': {'viewport': {'width': 390, 'height': 844}, 'has_touch': True},
}


@pytest.fixture(scope='module')
def browser() -> Iterator[sync_api.Browser]:
    program = shutil.which('chromium') or shutil.which('google-chrome')
    if program is None:
        pytest.skip('needs Chromium: apt-get install chromium')
    with sync_api.sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=program, args=FLAGS)


@pytest.fixture(scope='module')
def page_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp('large')
    graph = make_graph(blocks=58)
    assert len(graph) > 300
    return write_report(write_session(folder, seconds=20.0, graph=graph)).page


def visit(browser: sync_api.Browser, path: Path, complaints: list[str], **screen) -> sync_api.Page:
    page = browser.new_page(**screen)
    page.on('console', lambda message: complaints.append(message.text))
    page.on('pageerror', lambda error: complaints.append(str(error)))
    page.on('requestfailed', lambda request: complaints.append(request.url))
    page.goto(path.as_uri())
    return page


def painted(page: sync_api.Page, selector: str) -> int:
    """Return how many different colours a canvas holds."""
    return page.eval_on_selector(
        f'{selector} canvas',
        """(canvas) => {
            const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
            return new Set(new Uint32Array(pixels.data.buffer)).size;
        }""",
    )


@pytest.mark.parametrize('name', SCREENS)
def test_page_is_drawn_without_a_complaint(
    browser: sync_api.Browser, page_path: Path, tmp_path: Path, name: str
) -> None:
    complaints: list[str] = []
    page = visit(browser, page_path, complaints, **SCREENS[name])
    page.screenshot(path=tmp_path / f'{name}.png', full_page=True)
    assert complaints == []
    for plot in ('#plot-latency', '#plot-outcome', '#plot-link', '#plot-curve', '#plot-tradeoff'):
        assert painted(page, plot) > 5, f'{plot} is empty'
    # The page itself never scrolls sideways; wide tables do, inside their own box.
    assert (
        page.evaluate('document.documentElement.scrollWidth') <= SCREENS[name]['viewport']['width']
    )
    page.close()


def test_dark_is_dark(browser: sync_api.Browser, page_path: Path) -> None:
    ink = {}
    for name in ('light', 'dark'):
        page = visit(browser, page_path, [], **SCREENS[name])
        ink[name] = page.evaluate('getComputedStyle(document.body).backgroundColor')
        page.close()
    assert ink == {'light': 'rgb(246, 247, 249)', 'dark': 'rgb(16, 21, 27)'}


def test_a_frame_tells_its_story(browser: sync_api.Browser, page_path: Path) -> None:
    complaints: list[str] = []
    page = visit(browser, page_path, complaints, **SCREENS['light'])
    page.locator('#plot-latency .u-over').hover(position={'x': 200, 'y': 100})
    page.locator('#plot-latency .u-over').hover(position={'x': 300, 'y': 100})
    told = page.inner_text('#readout')
    assert (
        'via cloud in' in told and 'Plan: cut after waist' in told and "the car's layers" in told
    )
    page.click('#run-choice >> text=edge-only')
    page.locator('#plot-latency .u-over').hover(position={'x': 320, 'y': 90})
    assert 'Plan: all on the car' in page.inner_text('#readout')
    assert complaints == []
    page.close()


def test_a_calibrated_cut_tells_its_bytes_and_accuracy(
    browser: sync_api.Browser, page_path: Path
) -> None:
    complaints: list[str] = []
    page = visit(browser, page_path, complaints, **SCREENS['light'])
    page.locator('#plot-curve .u-over').hover(position={'x': 120, 'y': 100})
    told = page.inner_text('#curve-readout')
    assert 'kB a frame, AP50 0.3' in told and 'lost' in told
    assert complaints == []
    page.close()


def test_zoom_is_shared_by_the_plots(browser: sync_api.Browser, page_path: Path) -> None:
    page = visit(browser, page_path, [], **SCREENS['light'])
    before = page.locator('#plot-latency canvas').screenshot()
    page.locator('#plot-link').scroll_into_view_if_needed()
    box = page.locator('#plot-link .u-over').bounding_box()
    page.mouse.move(box['x'] + 300, box['y'] + 20)
    page.mouse.down()
    page.mouse.move(box['x'] + 500, box['y'] + 20, steps=4)
    page.mouse.up()
    page.mouse.move(0, 0)
    page.wait_for_timeout(200)
    assert page.locator('#plot-latency canvas').screenshot() != before
    page.close()


def test_every_layer_is_drawn_and_the_cut_is_in_view(
    browser: sync_api.Browser, page_path: Path
) -> None:
    page = visit(browser, page_path, [], **SCREENS['light'])
    layers = make_graph(blocks=58)
    assert page.locator('#dag-view .node').count() == len(layers)
    in_cloud = len(layers.cloud_layers(['waist']))
    assert page.locator('#dag-view .node.cloud').count() == in_cloud
    assert page.locator('#dag-view .node.boundary text').first.text_content() == 'waist'
    assert page.locator('#dag-view .edge.crossing').count() == len(layers.consumers['waist'])
    page.locator('#dag-view').scroll_into_view_if_needed()
    view = page.locator('#dag-view').bounding_box()
    node = page.locator('#dag-view .node.boundary').bounding_box()
    assert view['y'] <= node['y'] and node['y'] + node['height'] <= view['y'] + view['height']
    page.close()


def test_network_zooms_and_follows_the_chosen_cut(
    browser: sync_api.Browser, page_path: Path
) -> None:
    page = visit(browser, page_path, [], **SCREENS['phone'])
    height = lambda: page.locator('#dag-view svg').bounding_box()['height']  # noqa: E731
    before = height()
    page.click('#dag-in')
    assert height() == pytest.approx(1.3 * before, rel=0.01)
    page.click('#dag-fit')
    assert height() <= page.locator('#dag-view').bounding_box()['height'] + 1
    page.click('#cut-choice >> text=all on the car')
    assert page.locator('#dag-view .node.cloud').count() == 0
    assert 'all on the car: 303 layers on the car, 0 in the cloud' in page.inner_text('#cut-words')
    page.close()


def test_a_report_without_frames_does_not_break(browser: sync_api.Browser, tmp_path: Path) -> None:
    write_session(tmp_path, methods=('dads', 'edge-only'), seconds=4.0)
    for run in (tmp_path / 'runs').iterdir():
        for name in ('frames', 'links', 'plans', 'detections'):
            (run / f'{name}.jsonl').write_text('')
    complaints: list[str] = []
    page = visit(browser, write_report(tmp_path).page, complaints, **SCREENS['light'])
    assert complaints == []
    assert 'No frame was recorded' in page.inner_text('#timeline')
    page.close()
