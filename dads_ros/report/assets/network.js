// The layer graph, laid out by dagre, with the chosen cut; a narrow map of all of it beside.
(() => {
  const SVG = 'http://www.w3.org/2000/svg';
  const HEIGHT = 44;
  const view = document.getElementById('dag-view');
  const map = document.getElementById('dag-map');
  const layers = data.network;
  const element = (name, attributes, parent) => {
    const made = document.createElementNS(SVG, name);
    Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
    parent?.append(made);
    return made;
  };
  const words = (layer) => `${layer.op}  ${layer.shape.join('×')}  ${bytesText(layer.bytes)}`;

  function layout() {
    const graph = new dagre.graphlib.Graph();
    graph.setGraph({ rankdir: 'TB', nodesep: 26, ranksep: 30, marginx: 24, marginy: 24, ranker: 'tight-tree' });
    graph.setDefaultEdgeLabel(() => ({}));
    layers.forEach((layer, i) => {
      const width = 26 + Math.max(7.8 * layer.id.length, 6.3 * words(layer).length);
      graph.setNode(String(i), { width, height: HEIGHT });
    });
    layers.forEach((layer, i) => layer.inputs.forEach((from) => graph.setEdge(String(from), String(i))));
    dagre.layout(graph);
    return graph;
  }

  const graph = layout();
  const size = graph.graph();
  const svg = element('svg', { viewBox: `0 0 ${size.width} ${size.height}`, role: 'img' });
  svg.setAttribute('aria-label', `Layer graph of ${layers.length} layers`);
  view.append(svg);
  map.setAttribute('viewBox', `0 0 ${size.width} ${size.height}`);
  map.setAttribute('preserveAspectRatio', 'none');

  const smooth = (points) => {
    const middle = (a, b) => `${(a.x + b.x) / 2} ${(a.y + b.y) / 2}`;
    const [first, ...rest] = points;
    const curves = rest.slice(0, -1).map((p, k) => `Q${p.x} ${p.y} ${middle(p, rest[k + 1])}`);
    const last = rest[rest.length - 1];
    return `M${first.x} ${first.y}L${middle(first, rest[0])}${curves.join('')}L${last.x} ${last.y}`;
  };
  const edges = graph.edges().map(({ v, w }) => {
    const width = Math.max(1, 0.9 * Math.log10(layers[v].bytes / 300));
    const path = element('path', { d: smooth(graph.edge(v, w).points), class: 'edge', 'stroke-width': width }, svg);
    return { from: Number(v), to: Number(w), path };
  });
  const nodes = layers.map((layer, i) => {
    const { x, y, width } = graph.node(String(i));
    const corner = { x: x - width / 2, y: y - HEIGHT / 2, width, height: HEIGHT };
    const group = element('g', { class: 'node' }, svg);
    element('rect', { ...corner, rx: 7 }, group);
    element('text', { x, y: y - 3, 'text-anchor': 'middle' }, group).textContent = layer.id;
    element('text', { x, y: y + 14, 'text-anchor': 'middle', class: 'size' }, group).textContent = words(layer);
    element('title', {}, group).textContent = `${layer.id}: ${words(layer)}, ${layer.dtype}`;
    const mark = element('rect', { ...corner, height: Math.max(HEIGHT, size.height / 300) }, map);
    return { group, mark, x, y };
  });
  const pane = element('rect', { id: 'dag-window' }, map);

  let zoom = 1;
  let cut = data.cuts[0];
  function resize(next, centre) {
    const old = zoom;
    const focus = centre ?? {
      x: (view.scrollLeft + view.clientWidth / 2) / old,
      y: (view.scrollTop + view.clientHeight / 2) / old,
    };
    zoom = Math.min(2.5, Math.max(0.02, next));
    svg.setAttribute('width', size.width * zoom);
    svg.setAttribute('height', size.height * zoom);
    svg.classList.toggle('far', zoom < 0.3);
    // A picture smaller than its pane sits in the middle.
    svg.style.display = 'block';
    svg.style.margin = `0 ${Math.max(0, (view.clientWidth - size.width * zoom) / 2)}px`;
    view.scrollLeft = focus.x * zoom - view.clientWidth / 2;
    view.scrollTop = focus.y * zoom - view.clientHeight / 2;
    frame();
  }
  function frame() {
    const box = { x: view.scrollLeft, y: view.scrollTop, width: view.clientWidth, height: view.clientHeight };
    Object.entries(box).forEach(([key, value]) => pane.setAttribute(key, value / zoom));
  }
  const readable = () => Math.min(1, Math.max(0.55, view.clientWidth / size.width));
  const fit = () => resize(Math.min(1, view.clientWidth / size.width, view.clientHeight / size.height));
  function toCut() {
    const focus = (cut?.boundary ?? []).map((i) => nodes[i]);
    const mean = (key) => focus.reduce((sum, node) => sum + node[key], 0) / focus.length;
    resize(readable(), focus.length ? { x: mean('x'), y: mean('y') + HEIGHT } : { x: size.width / 2, y: 0 });
  }

  function colour() {
    const cloud = new Set(cut?.cloud ?? []);
    const boundary = new Set(cut?.boundary ?? []);
    nodes.forEach(({ group, mark }, i) => {
      const place = boundary.has(i) ? 'boundary' : cloud.has(i) ? 'cloud' : '';
      group.setAttribute('class', `node ${place}`);
      mark.setAttribute('class', place);
    });
    edges.forEach(({ from, to, path }) => {
      path.classList.toggle('crossing', boundary.has(from) && cloud.has(to));
    });
    document.getElementById('cut-words').textContent = cut ? describe(cut, cloud.size) : 'No plan served a frame.';
  }
  function describe({ name, frames, sent_bytes: sent, raw_bytes: raw, boundary }, cloud) {
    const split = `${layers.length - cloud} layers on the car, ${cloud} in the cloud`;
    if (!boundary.length) return `${name}: ${split}; ${frames} frames.`;
    const tensors = boundary.length > 1 ? `${boundary.length} tensors cross` : '1 tensor crosses';
    const wire = sent ? `, sent as ${bytesText(sent)} (median of ${frames} frames)` : '';
    return `${name}: ${split}; ${tensors} the cut, ${bytesText(raw)} before encoding${wire}.`;
  }

  document.getElementById('dag-in').addEventListener('click', () => resize(zoom * 1.3));
  document.getElementById('dag-out').addEventListener('click', () => resize(zoom / 1.3));
  document.getElementById('dag-fit').addEventListener('click', fit);
  document.getElementById('dag-cut').addEventListener('click', toCut);
  view.addEventListener('scroll', frame);
  view.addEventListener('wheel', (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    resize(zoom * Math.exp(-event.deltaY / 300));
  }, { passive: false });
  // Touch pans by scrolling; a mouse has to be taught.
  view.addEventListener('pointerdown', (event) => {
    if (event.pointerType !== 'mouse') return;
    view.setPointerCapture(event.pointerId);
    view.classList.add('dragging');
  });
  view.addEventListener('pointermove', (event) => {
    if (view.classList.contains('dragging')) view.scrollBy(-event.movementX, -event.movementY);
  });
  ['pointerup', 'pointercancel'].forEach((name) =>
    view.addEventListener(name, () => view.classList.remove('dragging')),
  );
  map.addEventListener('click', (event) => {
    const box = map.getBoundingClientRect();
    const part = { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height };
    resize(zoom, { x: part.x * size.width, y: part.y * size.height });
  });

  choice('cut-choice', data.cuts.map((item) => item.name), (index) => {
    cut = data.cuts[index];
    colour();
    toCut();
  });
  if (!data.cuts.length) {
    colour();
    toCut();
  }
})();
