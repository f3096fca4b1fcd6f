// Latency, outcome and link of one run on one time axis, with a shared cursor and zoom.
(() => {
  const LOOK = {
    via_cloud: ['--cloud', 3],
    local: ['--car', 2],
    local_after_miss: ['--miss', 1],
    dropped_superseded: ['--drop', 0],
    dropped_stale: ['--drop', 0],
    dropped_invalid: ['--drop', 0],
  };
  const LANES = ['dropped', 'after miss', 'on the car', 'via cloud'];
  const KINDS = { local: ['--car-fill', '--car'], cut: ['--cut-fill', '--cut'], upload: ['--upload-fill', '--upload'] };
  const LEFT = 74;
  const RIGHT = 14;
  const readout = document.getElementById('readout');
  const hint = readout.textContent;
  let run = data.runs[0];
  let plans = new Map();
  let plots = [];

  const outcomeName = (i) => data.outcomes[run.outcome[i]];
  const label = (plan) => (plan.mode === 'heavy' ? `${plan.name} (DSH)` : plan.name);
  const planOf = (i) => plans.get(run.plan_id[i]);
  const endOfRun = () => run.t_s[run.t_s.length - 1] ?? 0;

  function box(id, title, detail) {
    const element = document.getElementById(id);
    element.innerHTML = '<h3></h3><div></div>';
    const heading = element.firstChild;
    heading.textContent = `${title} `;
    heading.append(Object.assign(document.createElement('span'), { textContent: detail }));
    return element.lastChild;
  }

  function show(i) {
    if (i === null || i === undefined || run.t_s[i] === undefined) {
      readout.textContent = hint;
      return;
    }
    const stages = data.stages
      .map((name, s) => [name, run.stages_s[s][i]])
      .filter(([, seconds]) => seconds >= 5e-4)
      .map(([name, seconds]) => `${name} ${(seconds * 1e3).toFixed(0)}`);
    const plan = planOf(i);
    const total = run.total_s[i] === null ? '' : ` in ${msText(run.total_s[i])}`;
    const sent = run.bytes[i] ? `, sent ${bytesText(run.bytes[i])}` : '';
    readout.textContent =
      `${run.t_s[i].toFixed(2)} s, frame ${run.sequence[i]}: ${outcomeName(i).replaceAll('_', ' ')}${total}${sent}. ` +
      (plan ? `Plan: ${plan.name}. ` : '') +
      (stages.length ? `ms: ${stages.join(', ')}.` : '');
  }

  // Plans come again with new predictions; a band goes on as long as cut, codec and rule do.
  function eachBand(u, visit) {
    const { bbox } = u;
    const starts = run.plans.filter((plan, k) => k === 0 || label(plan) !== label(run.plans[k - 1]));
    starts.forEach((plan, k) => {
      const until = starts[k + 1]?.t_s ?? Math.max(endOfRun(), plan.t_s);
      const x0 = Math.max(bbox.left, u.valToPos(plan.t_s, 'x', true));
      const x1 = Math.min(bbox.left + bbox.width, u.valToPos(until, 'x', true));
      if (x1 > x0) visit(plan, x0, x1);
    });
  }

  // Plan bands lie behind the grid and the latency, their names before the grid.
  function bands(u) {
    const { ctx, bbox } = u;
    ctx.save();
    eachBand(u, (plan, x0, x1) => {
      ctx.fillStyle = style(KINDS[plan.kind][0]);
      ctx.fillRect(x0, bbox.top, x1 - x0, bbox.height);
      ctx.fillStyle = style(KINDS[plan.kind][1]);
      ctx.fillRect(x0, bbox.top, x1 - x0, 3 * devicePixelRatio);
    });
    ctx.restore();
  }

  function bandNames(u) {
    const { ctx, bbox } = u;
    ctx.save();
    ctx.font = `${12 * devicePixelRatio}px ${FONT.slice(5)}`;
    ctx.textAlign = 'left';
    ctx.textBaseline = 'alphabetic';
    const begin = u.valToPos(run.warm_until_s ?? 0, 'x', true);
    eachBand(u, (plan, x0, x1) => {
      const left = Math.max(x0, begin);
      const room = x1 - left - 10 * devicePixelRatio;
      const candidates = [label(plan), plan.name, plan.name.split(',')[0], plan.kind];
      const words = candidates.find((text) => ctx.measureText(text).width < room);
      ctx.fillStyle = style(KINDS[plan.kind][1]);
      if (words) ctx.fillText(words, left + 5 * devicePixelRatio, bbox.top + 17 * devicePixelRatio);
    });
    warmup(u);
    ctx.restore();
  }

  function warmup(u) {
    const { ctx, bbox } = u;
    if (!run.warm_until_s) return;
    const x = Math.min(bbox.left + bbox.width, u.valToPos(run.warm_until_s, 'x', true));
    if (x <= bbox.left) return;
    ctx.fillStyle = style('--card');
    ctx.globalAlpha = 0.72;
    ctx.fillRect(bbox.left, bbox.top, x - bbox.left, bbox.height);
    ctx.globalAlpha = 1;
  }

  function lanes(u) {
    const { ctx, bbox } = u;
    const width = Math.max(1.5 * devicePixelRatio, (0.7 * bbox.width) / Math.max(1, run.t_s.length));
    const colours = data.outcomes.map((name) => style(LOOK[name][0]));
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    run.t_s.forEach((t, i) => {
      const [, lane] = LOOK[outcomeName(i)];
      const top = u.valToPos(lane + 0.85, 'y', true);
      const bottom = u.valToPos(lane + 0.15, 'y', true);
      ctx.fillStyle = colours[run.outcome[i]];
      ctx.fillRect(u.valToPos(t, 'x', true) - width / 2, top, width, bottom - top);
    });
    warmup(u);
    ctx.restore();
  }

  function outages(u) {
    const { ctx, bbox } = u;
    ctx.save();
    ctx.fillStyle = style('--drop-fill');
    run.link.t_s.forEach((t, i) => {
      if (run.link.alive[i]) return;
      const until = run.link.t_s[i + 1] ?? endOfRun();
      const x0 = Math.max(bbox.left, u.valToPos(t, 'x', true));
      const x1 = Math.min(bbox.left + bbox.width, u.valToPos(until, 'x', true));
      if (x1 > x0) ctx.fillRect(x0, bbox.top, x1 - x0, bbox.height);
    });
    ctx.restore();
  }

  const time = (last) =>
    axis({
      values: (u, ticks) => ticks.map((t) => (last ? `${t} s` : '')),
      size: last ? 30 : 6,
    });

  function base(element, height, last) {
    return {
      width: element.clientWidth,
      height,
      padding: [8, RIGHT, 0, 0],
      legend: { show: false },
      cursor: { sync: { key: 'drive' }, y: false, points: { show: false }, drag: { x: true, y: false } },
      scales: { x: { time: false, range: (u, low, high) => [low, high] } },
      axes: [time(last)],
      hooks: {
        setCursor: [(u) => u.cursor.event && show(nearest(u))],
        setScale: [(u, key) => key === 'x' && follow(u)],
      },
    };
  }

  function nearest(u) {
    if (u.cursor.left < 0) return null;
    const t = u.posToVal(u.cursor.left, 'x');
    let best = null;
    run.t_s.forEach((value, i) => {
      if (best === null || Math.abs(value - t) < Math.abs(run.t_s[best] - t)) best = i;
    });
    return best;
  }

  function follow(source) {
    const { min, max } = source.scales.x;
    plots.forEach((u) => {
      if (u !== source && (u.scales.x.min !== min || u.scales.x.max !== max)) u.setScale('x', { min, max });
    });
  }

  function latency() {
    const element = box('plot-latency', 'Latency', 'ms, each answered frame; behind it the plan in force; dashed the deadline');
    const options = base(element, innerWidth < 640 ? 240 : 280, false);
    const kinds = ['via_cloud', 'local', 'local_after_miss'];
    let k = -1;
    const deadlines = run.t_s.map((t) => {
      while (run.plans[k + 1]?.t_s <= t) k += 1;
      const plan = run.plans[k];
      return plan && plan.kind !== 'local' && plan.deadline_s ? plan.deadline_s * 1e3 : null;
    });
    const seconds = run.total_s.filter((value) => value !== null);
    const top = Math.max(50, ...seconds.map((value) => value * 1e3)) * 1.18;
    options.scales.y = { range: [0, top] };
    options.axes.push(axis({ size: LEFT }));
    options.series = [
      {},
      ...kinds.map((kind) => ({
        paths: () => null,
        points: { show: true, size: 5, fill: style(LOOK[kind][0]), width: 0 },
      })),
      { stroke: style('--soft'), width: 1, dash: [4, 4], points: { show: false } },
    ];
    options.hooks.drawClear = [bands];
    options.hooks.drawAxes = [bandNames];
    const columns = kinds.map((kind) =>
      run.total_s.map((value, i) => (outcomeName(i) === kind && value !== null ? value * 1e3 : null)),
    );
    return new uPlot(options, [run.t_s, ...columns, deadlines], element);
  }

  function outcomes() {
    const element = box('plot-outcome', 'Where each frame was finished', '');
    const options = base(element, 112, false);
    options.scales.y = { range: [0, LANES.length] };
    options.axes.push(
      axis({
        size: LEFT,
        grid: { show: false },
        ticks: { show: false },
        splits: () => LANES.map((_, lane) => lane + 0.5),
        values: () => LANES,
      }),
    );
    options.series = [{}, { paths: () => null, points: { show: false } }];
    options.hooks.draw = [lanes];
    return new uPlot(options, [run.t_s, run.t_s.map(() => 0)], element);
  }

  function link() {
    const prescribed = run.trace.length ? 'grey: prescribed; ' : '';
    const element = box('plot-link', 'Uplink', `Mbit/s, ${prescribed}line: the estimate, with its spread; red: no answer from the cloud`);
    const options = base(element, 170, true);
    const mega = (values) => values.map((value) => (value === null ? null : value / 1e6));
    const last = endOfRun();
    const steps = run.trace.filter(([t]) => t <= last);
    if (steps.length) steps.push([last, steps[steps.length - 1][1]]);
    const truth = [steps.map(([t]) => t), steps.map(([, bps]) => bps / 1e6)];
    const estimate = [run.link.t_s, mega(run.link.low_bps), mega(run.link.high_bps), mega(run.link.bps)];
    const grid = run.t_s.map(() => null);
    const columns = uPlot.join([[run.t_s, grid], truth, estimate], [[2, 2], [2, 2], [2, 2, 2, 2]]);
    const highest = Math.max(0.1, ...truth[1], ...estimate[2].map((v) => v ?? 0)) * 1.05;
    options.scales.y = { range: [0, highest] };
    options.axes.push(axis({ size: LEFT }));
    const soft = { stroke: 'transparent', width: 0, points: { show: false } };
    options.series = [
      {},
      soft,
      {
        stroke: style('--soft'),
        fill: style('--grid'),
        width: 1,
        paths: uPlot.paths.stepped({ align: 1 }),
        points: { show: false },
      },
      soft,
      soft,
      { stroke: style('--cloud'), width: 2, points: { show: false } },
    ];
    options.hooks.drawClear = [outages];
    options.bands = [{ series: [4, 3], fill: `color-mix(in srgb, ${style('--cloud')} 22%, transparent)` }];
    return new uPlot(options, columns, element);
  }

  function draw() {
    plots.forEach((u) => u.destroy());
    plots = [];
    if (!run.t_s.length) {
      box('plot-latency', 'No frame was recorded in this run.', '');
      return;
    }
    plots = [latency(), outcomes(), link()];
    const x = { min: run.t_s[0], max: endOfRun() };
    plots.forEach((u) => u.setScale('x', x));
    show(null);
  }

  choice('run-choice', data.runs.map((item) => item.method), (index) => {
    run = data.runs[index];
    plans = new Map(run.plans.map((plan) => [plan.id, plan]));
    if (plots.length) draw();
  });
  drawn(draw);
})();
