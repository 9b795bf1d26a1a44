/** Charts of a value for each minute, drawn as SVG by hand: nothing is loaded from another server. */
const WIDTH = 310;
const HEIGHT = 132;
const EDGE = { left: 42, right: 8, top: 8, bottom: 18 };
const COLOURS = 7;

const NAMESPACE = 'http://www.w3.org/2000/svg';
const svg = (name, attributes, text) => {
  const element = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  if (text !== undefined) element.textContent = text;
  return element;
};
const html = (name, className, text) => {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
};

/** A number as people read it, with its unit. */
export function spell(value, unit) {
  if (value === null || value === undefined) return '–';
  if (unit === 'milliseconds') {
    if (value >= 60_000) return `${round(value / 60_000)} min`;
    return value >= 1_000 ? `${round(value / 1_000)} s` : `${round(value)} ms`;
  }
  if (unit === 'percent') return `${round(value)} %`;
  if (unit === 'flag') return value > 0 ? 'yes' : 'no';
  const [size, suffix] = value >= 1e6 ? [1e6, ' M'] : value >= 1e4 ? [1e3, ' k'] : [1, ''];
  return `${round(value / size)}${suffix}${unit === 'bytes' ? ' B' : ''}`;
}

const round = (value) => (Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3)));

/** The next value that makes a good top of an axis. */
function niceTop(value, unit) {
  if (unit === 'flag') return 1;
  if (unit === 'percent' && value <= 100 && value > 20) return 100;
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 2.5, 5, 10].find((candidate) => candidate * power >= value) ?? 10;
  const top = step * power;
  return unit === 'count' ? Math.max(2, Math.ceil(top)) : top;
}

const MINUTE_MS = 60_000;
const lastOf = (points) => points.findLast((point) => point !== null) ?? null;

/**
 * Figures of whole minutes alone. The present one is not over: its sums are too small, and its shares are of too few, so a figure would look as
 * if it fell at each look, or stood beyond its level.
 */
export function toWholeMinutes({ at, dashboards, ...rest }) {
  const withoutLast = ({ points, ...line }) => ({ ...line, points: points.slice(0, -1) });
  const whole = ({ lines, ...figure }) => ({ ...figure, lines: lines.map(withoutLast) });
  return {
    ...rest,
    at: new Date(Date.parse(at) - MINUTE_MS).toISOString(),
    dashboards: dashboards.map(({ figures, ...dashboard }) => ({ ...dashboard, figures: figures.map(whole) })),
  };
}

/** Whether a figure stands on the wrong side of its level: a floor (99 % promised) or a ceiling (3 s). */
export function isBeyond({ limit, lines }) {
  if (limit === undefined) return false;
  return lines.some(({ points }) => {
    const last = lastOf(points);
    return last !== null && (limit.label === 'promised' ? last < limit.value : last > limit.value);
  });
}

/** Whether a figure had no value in all the time that is shown. */
export function isSilent({ lines }) {
  return lines.every(({ points }) => points.every((point) => point === null));
}

/** A card with the question, the chart and the last value of each line. Lines that never had a value are left out. */
export function drawCard(figure, endMs) {
  const { title, unit, limit, lines } = figure;
  const card = html('article', 'card');
  card.append(html('h3', '', title));
  const known = lines.filter(({ points }) => points.some((point) => point !== null));
  const keys = html('ul', 'keys');
  const beyond = isBeyond(figure);
  if (beyond) card.classList.add('beyond');
  const values = known.flatMap(({ points }) => points.filter((point) => point !== null));
  const top = niceTop(Math.max(...values, limit?.value ?? 0), unit);
  // An axis from 0 would show nothing near a promise of 99 %.
  const bottom = limit?.label === 'promised' && Math.min(...values) >= 90 ? 90 : 0;
  const chart = svg('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', role: 'img' });
  chart.append(svg('title', {}, title));
  const minutes = known[0].points.length;
  const x = (index) => EDGE.left + ((WIDTH - EDGE.left - EDGE.right) * index) / Math.max(1, minutes - 1);
  const y = (value) => HEIGHT - EDGE.bottom - ((HEIGHT - EDGE.top - EDGE.bottom) * (value - bottom)) / (top - bottom);
  drawAxes(chart, { top, bottom, unit, minutes, endMs, x, y });
  if (limit !== undefined) {
    chart.append(
      svg('line', { class: 'limit', x1: EDGE.left, x2: WIDTH - EDGE.right, y1: y(limit.value), y2: y(limit.value) }),
    );
  }
  const colourOf = (line) => `l${lines.indexOf(line) % COLOURS}`;
  for (const line of known) drawLine(chart, line.points, colourOf(line), x, y);
  const show = (index) => {
    keys.replaceChildren(
      ...known.map((line) => {
        const item = html('li');
        item.append(html('i', colourOf(line)), `${line.label} `);
        item.append(html('b', '', spell(index === undefined ? lastOf(line.points) : line.points[index], unit)));
        return item;
      }),
      ...(limit === undefined ? [] : [html('li', beyond ? 'bad' : '', `${limit.label} ${spell(limit.value, unit)}`)]),
      ...(index === undefined ? [] : [html('li', '', timeOf(endMs - (minutes - 1 - index) * MINUTE_MS))]),
    );
  };
  show(undefined);
  followPointer(chart, { minutes, x, show });
  card.append(chart, keys);
  return card;
}

const timeOf = (atMs) => new Date(atMs).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });

function drawAxes(chart, { top, bottom, unit, minutes, endMs, x, y }) {
  for (const share of unit === 'flag' ? [0, 1] : [0, 0.5, 1]) {
    const level = bottom + (top - bottom) * share;
    const at = y(level);
    chart.append(svg('line', { class: 'rule', x1: EDGE.left, x2: WIDTH - EDGE.right, y1: at, y2: at }));
    chart.append(svg('text', { x: EDGE.left - 5, y: at + 3.5, 'text-anchor': 'end' }, spell(level, unit)));
  }
  for (const share of [0, 0.5, 1]) {
    const index = Math.round((minutes - 1) * share);
    const anchor = share === 0 ? 'start' : share === 1 ? 'end' : 'middle';
    const text = timeOf(endMs - (minutes - 1 - index) * MINUTE_MS);
    chart.append(svg('text', { x: x(index), y: HEIGHT - 4, 'text-anchor': anchor }, text));
  }
}

/**
 * Draws neighbouring minutes as a joined line, a minute that stands alone as a dot, and a minute without a value as a
 * gap.
 */
function drawLine(chart, points, colour, x, y) {
  let run = [];
  const end = () => {
    if (run.length === 1) chart.append(svg('circle', { class: colour, cx: run[0][0], cy: run[0][1], r: 2.25 }));
    if (run.length > 1)
      chart.append(svg('polyline', { class: colour, points: run.map((at) => at.join(',')).join(' ') }));
    run = [];
  };
  points.forEach((point, index) => {
    if (point === null) end();
    else run.push([x(index), y(point)]);
  });
  end();
}

/** Shows, below a chart, the numbers of the minute under the pointer. */
function followPointer(chart, { minutes, x, show }) {
  const cursor = svg('line', { class: 'cursor', y1: EDGE.top, y2: HEIGHT - EDGE.bottom, visibility: 'hidden' });
  chart.append(cursor);
  chart.addEventListener('pointermove', (event) => {
    const box = chart.getBoundingClientRect();
    const at = ((event.clientX - box.left) / box.width) * WIDTH;
    const index = Math.round(((at - EDGE.left) / (WIDTH - EDGE.left - EDGE.right)) * (minutes - 1));
    if (index < 0 || index >= minutes) return;
    for (const end of ['x1', 'x2']) cursor.setAttribute(end, String(x(index)));
    cursor.setAttribute('visibility', 'visible');
    show(index);
  });
  chart.addEventListener('pointerleave', () => {
    cursor.setAttribute('visibility', 'hidden');
    show(undefined);
  });
}
