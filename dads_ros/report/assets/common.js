'use strict';
const data = JSON.parse(document.getElementById('data').textContent);

// Plots are drawn on canvas, which knows no style sheet: they ask here, and again on a change.
const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const redraws = [];
function drawn(draw) {
  redraws.push(draw);
  draw();
}
const redraw = () => redraws.forEach((draw) => draw());
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);

let knownWidth = innerWidth;
addEventListener('resize', () => {
  // A phone's browser bar changes the height alone; nothing here depends on it.
  if (innerWidth !== knownWidth) {
    knownWidth = innerWidth;
    redraw();
  }
});

function choice(id, names, choose) {
  const group = document.getElementById(id);
  const buttons = names.map((name, index) => {
    const button = document.createElement('button');
    button.textContent = name;
    button.addEventListener('click', () => select(index));
    group.append(button);
    return button;
  });
  function select(index) {
    buttons.forEach((button, i) => button.setAttribute('aria-pressed', i === index));
    choose(index);
  }
  group.hidden = names.length < 2;
  if (names.length) select(0);
}

const scaled = (value, step, units) => {
  const rank = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log(value) / Math.log(step))));
  return `${Number((value / step ** rank).toPrecision(3))} ${units[rank]}`;
};
const bytesText = (bytes) => (bytes ? scaled(bytes, 1000, ['B', 'kB', 'MB', 'GB']) : '0 B');
const rateText = (bps) => (bps ? scaled(bps, 1000, ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s']) : 'none');
const msText = (seconds) => (seconds === null ? '–' : `${(seconds * 1e3).toFixed(0)} ms`);

const FONT = '12px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif';
function axis(extra) {
  return {
    stroke: style('--soft'),
    font: FONT,
    grid: { stroke: style('--grid'), width: 1 },
    ticks: { stroke: style('--grid'), width: 1, size: 4 },
    ...extra,
  };
}

// Kilobytes on a logarithmic scale, from the decade below to the one above.
function decades(low, high) {
  const decade = (value, round) => 10 ** round(Math.log10(value / 1e3));
  return [decade(low, Math.floor), decade(high * 1.001, Math.ceil)];
}
function bytesAxis() {
  const firstDigit = (t) => Number(String(t).replace(/^[0.]+/, '')[0]);
  const leading = innerWidth < 640 ? [1] : [1, 2, 5];
  return axis({
    size: 30,
    // Of a decade's ticks, name those that have room.
    filter: (u, ticks) => ticks.map((t) => (leading.includes(firstDigit(t)) ? t : null)),
    values: (u, ticks) => ticks.map((t) => (t === null ? '' : bytesText(t * 1e3))),
  });
}
