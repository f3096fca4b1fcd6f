// The calibration: every measured cut and codec, by what it sends and what accuracy is left.
(() => {
  const { curve } = data;
  if (!curve) return;
  document.getElementById('tradeoff').hidden = false;
  document.getElementById('curve').hidden = false;
  const readout = document.getElementById('curve-readout');
  const element = document.getElementById('plot-curve');
  const title = document.createElement('h3');
  const truth = curve.reference === 'labels' ? 'labelled frames' : "frames, the detector's own float32 output as truth";
  title.textContent = `From the calibration: AP50 on ${curve.frames} ${truth}`;
  element.before(title);
  const floor = curve.ap50 - curve.budget;
  document.getElementById('curve-words').textContent =
    `A plan may cost ${curve.budget} AP50: cuts and codecs under the dashed line are never chosen. ` +
    'Sizes are means of the profiled frames.';

  const points = [...curve.points].sort((a, b) => a.bytes - b.bytes);
  let best = -1;
  const front = points.filter((point) => point.ap50 > best && ((best = point.ap50), true));
  const colours = { cut: '--cut', upload: '--upload' };

  function place(u, point) {
    return [u.valToPos(point.bytes / 1e3, 'x', true), u.valToPos(point.ap50, 'y', true)];
  }

  function paint(u) {
    const { ctx, bbox } = u;
    const dot = 3.5 * devicePixelRatio;
    ctx.save();
    ctx.font = `${12 * devicePixelRatio}px ${FONT.slice(5)}`;
    ctx.lineWidth = devicePixelRatio;
    ctx.strokeStyle = ctx.fillStyle = style('--soft');
    const level = u.valToPos(floor, 'y', true);
    ctx.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, level);
    ctx.lineTo(bbox.left + bbox.width, level);
    ctx.stroke();
    ctx.setLineDash([]);
    ctx.textAlign = 'right';
    ctx.fillText('budget', bbox.left + bbox.width - 4 * devicePixelRatio, level + 14 * devicePixelRatio);
    ctx.beginPath();
    front.forEach((point, i) => {
      const [x, y] = place(u, point);
      if (i) ctx.lineTo(x, u.valToPos(front[i - 1].ap50, 'y', true));
      else ctx.moveTo(x, y);
      ctx.lineTo(x, y);
    });
    ctx.stroke();
    points.forEach((point) => {
      const [x, y] = place(u, point);
      ctx.beginPath();
      ctx.arc(x, y, dot, 0, 2 * Math.PI);
      ctx.fillStyle = style(colours[point.kind]);
      ctx.globalAlpha = point.used ? 1 : 0.55;
      ctx.fill();
      ctx.globalAlpha = 1;
    });
    const used = points.filter((point) => point.used);
    ctx.textAlign = 'center';
    used.forEach((point) => {
      const [x, y] = place(u, point);
      ctx.beginPath();
      ctx.arc(x, y, 1.9 * dot, 0, 2 * Math.PI);
      ctx.lineWidth = 2 * devicePixelRatio;
      ctx.strokeStyle = ctx.fillStyle = style('--ink');
      ctx.stroke();
      if (innerWidth < 640) return; // no room for names: the readout tells them
      const half = ctx.measureText(point.name).width / 2;
      const centre = Math.max(bbox.left + half, Math.min(bbox.left + bbox.width - half, x));
      ctx.fillText(point.name, centre, y - 12 * devicePixelRatio);
    });
    ctx.restore();
  }

  function tell(u, event) {
    const x = event.offsetX;
    const y = event.offsetY;
    const away = (point) =>
      Math.hypot(u.valToPos(point.bytes / 1e3, 'x') - x, u.valToPos(point.ap50, 'y') - y);
    const nearest = points.reduce((a, b) => (away(b) < away(a) ? b : a));
    const drop = curve.ap50 - nearest.ap50;
    readout.textContent =
      `${nearest.name}: ${bytesText(nearest.bytes)} a frame, AP50 ${nearest.ap50.toFixed(3)}, ` +
      `${drop > 0 ? `${drop.toFixed(3)} lost` : 'nothing lost'}${nearest.used ? '; used here' : ''}.`;
  }

  let plot = null;
  drawn(() => {
    plot?.destroy();
    const aps = [...points.map((point) => point.ap50), curve.ap50, floor];
    const [low, high] = [Math.min(...aps), Math.max(...aps)];
    const room = Math.max(0.01, 0.15 * (high - low));
    plot = new uPlot(
      {
        width: element.clientWidth,
        height: 300,
        padding: [10, 24, 0, 0],
        legend: { show: false },
        cursor: { show: false },
        scales: {
          x: { time: false, distr: 3, range: decades(points[0].bytes, points[points.length - 1].bytes) },
          y: { range: [Math.max(0, low - room), Math.min(1, high + room)] },
        },
        axes: [bytesAxis(), axis({ size: 56, values: (u, ticks) => ticks.map((t) => t.toFixed(2)) })],
        series: [{}, { paths: () => null, points: { show: false } }],
        hooks: { draw: [paint] },
      },
      [points.map((point) => point.bytes / 1e3), points.map((point) => point.ap50)],
      element,
    );
    for (const kind of ['mousemove', 'pointerdown']) {
      plot.over.addEventListener(kind, (event) => tell(plot, event));
    }
  });
})();
