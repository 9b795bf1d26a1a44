/** The page at /ops: asks for the operator key, then reads figures, fleet and connections every ten seconds. */
import { drawCard, isBeyond } from './chart.js';

const EVERY_MS = 10_000;
const KEY = 'holdfast-operator-key';
const STATUS_CLASS = {
  online: 'good',
  connecting: 'warn',
  reconnecting: 'warn',
  handing_off: 'warn',
  awaiting_pairing: 'warn',
  failed: 'bad',
  restricted: 'bad',
};
const WORKER_CLASS = { ALIVE: 'good', DRAINING: 'warn', DEAD: 'bad' };

const byId = (id) => document.getElementById(id);
const [ask, room, pulse, tabs, charts] = ['ask', 'room', 'pulse', 'tabs', 'charts'].map(byId);
let shown = location.hash.slice(1) || 'ops';
let latest;
let timer;

const element = (name, className, ...children) => {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children);
  return made;
};

class Refused extends Error {}

async function read(path) {
  const key = sessionStorage.getItem(KEY) ?? '';
  const response = await fetch(path, { headers: { authorization: `Bearer ${key}` }, cache: 'no-store' });
  if (response.status === 401 || response.status === 403) throw new Refused('That is not an operator key.');
  if (!response.ok) throw new Error(`${path.split('?')[0]} answered ${response.status}`);
  return response.json();
}

/** Every connection that is wanted online, shard by shard, with the worker that answers for it. */
async function readConnections() {
  const all = [];
  for (let shard = 0; shard !== undefined;) {
    const page = await read(`/health/detailed?shard=${shard}`);
    all.push(...page.connections.map((found) => ({ ...found, shard: page.shard, worker: page.owner?.worker })));
    shard = page.next;
  }
  return all;
}

async function refresh() {
  clearTimeout(timer);
  try {
    const [figures, fleet, connections] = await Promise.all([
      read(`/ops/metrics.json?minutes=${byId('minutes').value}`),
      read('/v1/admin/fleet'),
      readConnections(),
    ]);
    latest = { figures, fleet, connections };
    ask.hidden = true;
    room.hidden = false;
    byId('leave').hidden = false;
    draw();
    pulse.className = '';
    pulse.textContent = `as of ${new Date(figures.at).toLocaleTimeString()}, every 10 s; workers say their figures once a minute`;
  } catch (error) {
    if (error instanceof Refused) return askForKey(sessionStorage.getItem(KEY) === null ? '' : error.message);
    pulse.className = 'bad';
    pulse.textContent = `${error.message}. What is shown may be old; trying again.`;
  }
  timer = setTimeout(refresh, EVERY_MS);
}

function askForKey(sentence) {
  sessionStorage.removeItem(KEY);
  byId('refused').textContent = sentence;
  pulse.textContent = '';
  ask.hidden = false;
  room.hidden = true;
  byId('leave').hidden = true;
  byId('key').focus();
}

function draw() {
  const { figures, fleet, connections } = latest;
  drawTiles(latest);
  const { dashboards } = figures;
  const dashboard = dashboards.find(({ name }) => name === shown) ?? dashboards[0];
  tabs.replaceChildren(
    ...dashboards.map(({ name, title }) => {
      const tab = element('button', '', title.replace(/^Holdfast: /, ''));
      tab.type = 'button';
      if (name === dashboard.name) tab.setAttribute('aria-current', 'page');
      tab.addEventListener('click', () => {
        shown = name;
        history.replaceState(null, '', `#${name}`);
        draw();
      });
      return tab;
    }),
  );
  const sections = Map.groupBy(dashboard.figures, ({ section }) => section);
  const endMs = Date.parse(figures.at);
  charts.replaceChildren(...[...sections].map(([heading, all]) => drawSection(heading, all, endMs)));
  drawConnections(connections);
  drawWorkers(fleet.workers);
}

function drawSection(heading, figures, endMs) {
  const section = element('section', '', element('h2', '', heading));
  const here = figures.filter(({ onlyOnAws }) => !onlyOnAws);
  const elsewhere = figures.filter(({ onlyOnAws }) => onlyOnAws);
  if (here.length > 0) section.append(element('div', 'grid', ...here.map((figure) => drawCard(figure, endMs))));
  if (elsewhere.length > 0) {
    const titles = elsewhere.map(({ title }) => title).join(' ');
    section.append(element('p', 'elsewhere', `Measured by AWS, so only on its dashboard: ${titles}`));
  }
  return section;
}

function drawTiles({ fleet, connections, figures }) {
  const living = fleet.workers.filter(({ state }) => state !== 'DEAD');
  const online = connections.filter(({ status }) => status === 'online').length;
  const parked = connections.reduce((sum, { parkedMessages }) => sum + parkedMessages, 0);
  const beyond = new Set(
    figures.dashboards.flatMap((dashboard) => dashboard.figures.filter(isBeyond).map(({ title }) => title)),
  ).size;
  const tiles = [
    [`${online} / ${connections.length}`, 'connections online', online === connections.length ? 'good' : 'warn'],
    [living.length, living.length === 1 ? 'worker' : 'workers', living.length > 0 ? 'good' : 'bad'],
    [fleet.unowned, 'shards without an owner', fleet.unowned === 0 ? 'good' : 'bad'],
    [fleet.movesInFlight.length, 'shards on the move', ''],
    [parked, 'messages parked', parked === 0 ? '' : 'warn'],
    [beyond, 'figures beyond their level', beyond === 0 ? 'good' : 'bad'],
    [fleet.mode, 'mode', fleet.mode === 'normal' ? 'good' : 'bad'],
    [fleet.brake ? 'on' : 'off', 'brake', fleet.brake ? 'bad' : 'good'],
  ];
  byId('tiles').replaceChildren(
    ...tiles.map(([value, label, mood]) =>
      element('div', 'tile', element('b', mood, String(value)), element('span', '', label)),
    ),
  );
}

function drawConnections(connections) {
  byId('connection-count').textContent = `${connections.length} wanted online`;
  const worstFirst = [...connections].sort(
    (left, right) => (left.status === 'online') - (right.status === 'online') || left.id.localeCompare(right.id),
  );
  const rows = worstFirst.map(({ id, status, since, sentence, nextAttemptAt, parkedMessages, shard, worker }) =>
    element(
      'tr',
      '',
      element('td', '', element('code', '', id)),
      element('td', STATUS_CLASS[status] ?? '', status.replaceAll('_', ' ')),
      element('td', '', ago(since)),
      element('td', 'why', status === 'online' ? '' : sentence),
      element('td', '', nextAttemptAt === undefined ? '–' : new Date(nextAttemptAt).toLocaleTimeString()),
      element('td', 'number', String(parkedMessages)),
      element('td', 'number', String(shard)),
      element('td', worker === undefined ? 'bad' : '', worker === undefined ? 'nobody' : element('code', '', worker)),
    ),
  );
  fill('connections', rows, 8, 'No connection is wanted online.');
}

function drawWorkers(workers) {
  const rows = workers.map(({ id, state, suspended, full, startedAt, lastHeartbeatAt, proof, shards, load }) =>
    element(
      'tr',
      '',
      element('td', '', element('code', '', id)),
      element(
        'td',
        suspended ? 'bad' : proof === 'clean' ? '' : WORKER_CLASS[state],
        suspended ? 'suspended' : `${state.toLowerCase()}${proof ? ` (${proof})` : full ? ' (full)' : ''}`,
      ),
      element('td', '', state === 'DEAD' ? '–' : ago(startedAt)),
      element('td', '', `${ago(lastHeartbeatAt)} ago`),
      element('td', 'number', String(shards)),
      element('td', 'number', String(load.connections)),
      element('td', 'number', String(load.online)),
      element('td', 'number', String(load.openFailed)),
    ),
  );
  fill('workers', rows, 8, 'No worker is running.');
}

function fill(id, rows, columns, sentence) {
  const empty = element('td', '', sentence);
  empty.colSpan = columns;
  byId(id).tBodies[0].replaceChildren(...(rows.length > 0 ? rows : [element('tr', '', empty)]));
}

function ago(at) {
  const seconds = Math.max(0, Math.round((Date.now() - Date.parse(at)) / 1_000));
  if (seconds < 90) return `${seconds} s`;
  if (seconds < 5_400) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} d`;
}

ask.addEventListener('submit', (event) => {
  event.preventDefault();
  sessionStorage.setItem(KEY, byId('key').value.trim());
  byId('key').value = '';
  void refresh();
});
byId('leave').addEventListener('click', () => {
  clearTimeout(timer);
  askForKey('');
});
byId('minutes').addEventListener('change', () => void refresh());
if (sessionStorage.getItem(KEY) === null) askForKey('');
else void refresh();
