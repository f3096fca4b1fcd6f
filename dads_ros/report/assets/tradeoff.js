// Accuracy against bytes, one point per method; what sends nothing is a level line.
(() => {
  const points = data.tradeoff.filter((point) => point.bytes);
  const levels = data.tradeoff.filter((point) => !point.bytes);
  if (!points.length || data.tradeoff.length < 2) return;
  document.getElementById('tradeoff').hidden = false;
  document.getElementById('driven').hidden = false;
  points.sort((a, b) => a.bytes - b.bytes);
  const element = document.getElementById('plot-tradeoff');
  const title = document.createElement('h3');
  title.textContent = 'On this drive: AP50 of each method';
  element.before(title);

  function labels(u) {
    const { ctx, bbox } = u;
    ctx.save();
    ctx.font = `${12 * devicePixelRatio}px ${FONT.slice(5)}`;
    ctx.fillStyle = style('--ink');
    ctx.textAlign = 'left';
    ctx.textBaseline = 'alphabetic';
    points.forEach((point) => {
      const words = `${point.name} (${point.frames} frames)`;
      const room = bbox.left + bbox.width - ctx.measureText(words).width;
      const x = u.valToPos(point.bytes / 1e3, 'x', true) - ctx.measureText(words).width / 2;
      const y = u.valToPos(point.ap50, 'y', true);
      ctx.fillText(words, Math.max(bbox.left, Math.min(room, x)), y + 18 * devicePixelRatio);
    });
    ctx.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
    ctx.strokeStyle = ctx.fillStyle = style('--car');
    levels.forEach((level) => {
      const y = u.valToPos(level.ap50, 'y', true);
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
      const words = `${level.name}: nothing sent (${level.frames} frames)`;
      ctx.textAlign = 'right';
      ctx.fillText(words, bbox.left + bbox.width - 6 * devicePixelRatio, y - 6 * devicePixelRatio);
    });
    ctx.restore();
  }

  let plot = null;
  drawn(() => {
    plot?.destroy();
    const aps = data.tradeoff.map((point) => point.ap50);
    const low = Math.max(0, Math.min(...aps) - 0.08);
    const high = Math.min(1, Math.max(...aps) + 0.06);
    plot = new uPlot(
      {
        width: element.clientWidth,
        height: 260,
        padding: [10, 24, 0, 0],
        legend: { show: false },
        cursor: { show: false },
        scales: { x: { time: false, distr: 3, range: decades(points[0].bytes, points[points.length - 1].bytes) }, y: { range: [low, high] } },
        axes: [
          bytesAxis(),
          axis({ size: 56, values: (u, ticks) => ticks.map((t) => t.toFixed(2)) }),
        ],
        series: [
          {},
          { paths: () => null, points: { show: true, size: 9, fill: style('--cloud'), width: 0 } },
        ],
        hooks: { draw: [labels] },
      },
      [points.map((point) => point.bytes / 1e3), points.map((point) => point.ap50)],
      element,
    );
  });
})();
