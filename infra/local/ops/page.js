/** The page at /ops: asks for the operator key, then reads figures, fleet and connections every ten seconds. */
import { drawCard, isBeyond, isSilent, spell as spellFigure } from './chart.js';

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
  unpaired: 'warn',
};
const WORKER_CLASS = { ALIVE: 'good', DRAINING: 'warn', DEAD: 'soft' };
/** The order of every list: the worst first. */
const ATTENTION = ['bad', 'look', 'good'];
const PROBLEMS_SHOWN = 12;

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

const spell = (ms) => spellFigure(ms, 'milliseconds');

class Refused extends Error {}

async function read(path) {
  const key = sessionStorage.getItem(KEY) ?? '';
  const response = await fetch(path, { headers: { authorization: `Bearer ${key}` }, cache: 'no-store' });
  if (response.status === 401 || response.status === 403) throw new Refused('That is not an operator key.');
  if (!response.ok) throw new Error(`${path.split('?')[0]} answered ${response.status}`);
  return response.json();
}

/** Every connection that is wanted online, shard by shard, with the worker that answers for it, and how late events are. */
async function readHealth() {
  const connections = [];
  let events;
  for (let shard = 0; shard !== undefined;) {
    const page = await read(`/health/detailed?shard=${shard}`);
    connections.push(...page.connections.map((found) => ({ ...found, shard: page.shard, worker: page.owner?.worker })));
    events = page.events;
    shard = page.next;
  }
  return { connections, events };
}

async function refresh() {
  clearTimeout(timer);
  try {
    const [figures, fleet, health] = await Promise.all([
      read(`/ops/metrics.json?minutes=${byId('minutes').value}`),
      read('/v1/admin/fleet'),
      readHealth(),
    ]);
    latest = { figures, fleet, ...health };
    ask.hidden = true;
    room.hidden = false;
    byId('leave').hidden = false;
    draw();
    pulse.className = '';
    pulse.textContent = `as of ${timeOf(figures.at)}, every 10 s; workers say their figures once a minute`;
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
  drawProblems(latest);
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
  const elsewhere = figures.filter(({ onlyOnAws }) => onlyOnAws);
  const { said = [], silent = [] } = Object.groupBy(
    figures.filter(({ onlyOnAws }) => !onlyOnAws),
    (figure) => (isSilent(figure) ? 'silent' : 'said'),
  );
  if (said.length > 0) section.append(element('div', 'grid', ...said.map((figure) => drawCard(figure, endMs))));
  for (const [why, some] of [
    ['Nothing said in this time', silent],
    ['Measured by AWS, so only on its dashboard', elsewhere],
  ]) {
    if (some.length === 0) continue;
    section.append(element('p', 'elsewhere', `${why}: ${some.map(({ title }) => title).join(' · ')}`));
  }
  return section;
}

/** Shows what a person should know, worst first, each as a sentence; shows nothing when there is nothing. */
function drawProblems({ figures, fleet, connections, events }) {
  const living = fleet.workers.filter(({ state }) => state !== 'DEAD');
  const found = [
    ...(living.length === 0 ? [['bad', 'No worker is running: no connection is online.']] : []),
    ...living
      .filter(({ suspended }) => suspended)
      .map(({ id }) => ['bad', `${id} has had no heartbeat for more than 15 s and is suspended.`]),
    ...(fleet.unowned > 0 ? [['bad', `${fleet.unowned} shards have no owner: their connections are offline.`]] : []),
    ...(fleet.mode === 'normal' ? [] : [['bad', 'WhatsApp refuses nearly all logins, so only a few are tried.']]),
    ...(fleet.brake ? [['bad', 'The brake is on: many workers look dead at once, and none is declared dead.']] : []),
    ...(events?.late ? [['bad', `Events lay ${spell(events.lagMs)} in their queue before they were stored.`]] : []),
    ...connections
      .filter(({ attention }) => attention !== 'good')
      .map((connection) => [connection.attention, `${nameOf(connection)}: ${reasonOf(connection)}`]),
    ...beyondOf(figures).map(({ dashboard, figure }) => [
      'look',
      `Beyond its level (${figure.limit.label} ${spellFigure(figure.limit.value, figure.unit)}): ${figure.title}`,
      dashboard,
    ]),
  ].sort(([left], [right]) => ATTENTION.indexOf(left) - ATTENTION.indexOf(right));
  const items = found.slice(0, PROBLEMS_SHOWN).map(([attention, sentence, dashboard]) => {
    const mark = element('b', attention === 'bad' ? 'bad' : 'warn', attention === 'bad' ? 'Bad' : 'Look');
    return element('li', '', mark, dashboard === undefined ? sentence : toTab(sentence, dashboard));
  });
  if (found.length > items.length) items.push(element('li', 'soft', `and ${found.length - items.length} more below`));
  const mood = found[0]?.[0] === 'bad' ? 'problems' : 'problems mild';
  byId('problems').replaceChildren(...(items.length === 0 ? [] : [element('ul', mood, ...items)]));
}

/** Each figure beyond its level, once, with a dashboard that has it. */
function beyondOf({ dashboards }) {
  const found = new Map();
  for (const { name, figures } of dashboards) {
    for (const figure of figures) {
      if (isBeyond(figure) && !found.has(figure.title)) found.set(figure.title, { dashboard: name, figure });
    }
  }
  return [...found.values()];
}

function toTab(sentence, dashboard) {
  const button = element('button', 'link', sentence);
  button.type = 'button';
  button.addEventListener('click', () => {
    shown = dashboard;
    history.replaceState(null, '', `#${dashboard}`);
    draw();
    document.querySelector('.card.beyond')?.scrollIntoView({ block: 'center' });
  });
  return button;
}

/**
 * The name for people is the label, and the tenant's name beside it, because two connections may have the same label.
 */
const nameOf = ({ id, label, tenantName }) =>
  label === undefined ? id : `${label}${tenantName === undefined ? '' : ` of ${tenantName}`}`;
const reasonOf = ({ reason, sendsPaused }) =>
  sendsPaused === undefined ? reason : `${reason} The next try is at ${timeOf(sendsPaused.until)}.`;
const timeOf = (at) => new Date(at).toLocaleTimeString([], { timeZoneName: 'short' });

/** Whether a connection was ever linked: one that never was cannot be online, and waits for a person. */
const isLinked = ({ account, status }) => account !== undefined || !['awaiting_pairing', 'unpaired'].includes(status);

function drawTiles({ fleet, connections, events, figures }) {
  const living = fleet.workers.filter(({ state }) => state !== 'DEAD');
  const linked = connections.filter(isLinked);
  const online = linked.filter(({ status }) => status === 'online').length;
  const unlinked = connections.length - linked.length;
  const parked = connections.reduce((sum, { parkedMessages }) => sum + parkedMessages, 0);
  const stalled = connections.some(({ attention, parkedMessages }) => attention === 'bad' && parkedMessages > 0);
  const oldest = connections.flatMap(({ oldestParkedAt }) => oldestParkedAt ?? []).sort()[0];
  const beyond = beyondOf(figures).length;
  const tiles = [
    [
      `${online} / ${linked.length}`,
      `linked connections online${unlinked === 0 ? '' : `; ${unlinked} not linked`}`,
      online === linked.length ? 'good' : 'warn',
    ],
    [
      parked,
      oldest === undefined ? 'messages waiting' : `messages waiting, the oldest for ${ago(oldest)}`,
      stalled ? 'bad' : parked === 0 ? 'good' : 'warn',
    ],
    [
      events === undefined ? '–' : spell(events.lagMs),
      events === undefined ? 'no event within the hour' : `events in their queue, ${ago(events.measuredAt)} ago`,
      events?.late ? 'bad' : events === undefined ? '' : 'good',
    ],
    [living.length, living.length === 1 ? 'worker' : 'workers', living.length > 0 ? 'good' : 'bad'],
    [fleet.unowned, 'shards without an owner', fleet.unowned === 0 ? 'good' : 'bad'],
    [fleet.movesInFlight.length, 'shards on the move', ''],
    [beyond, beyond === 1 ? 'figure beyond its level' : 'figures beyond their level', beyond === 0 ? 'good' : 'warn'],
    [fleet.mode, `mode; brake ${fleet.brake ? 'on' : 'off'}`, fleet.mode === 'normal' && !fleet.brake ? 'good' : 'bad'],
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
    (left, right) =>
      ATTENTION.indexOf(left.attention) - ATTENTION.indexOf(right.attention) ||
      (left.status === 'online') - (right.status === 'online') ||
      nameOf(left).localeCompare(nameOf(right)),
  );
  fill('connections', worstFirst.map(toRow), 'No connection is wanted online.');
}

function toRow(connection) {
  const { id, label, account, tenant, tenantName, attention, status, since, nextAttemptAt, shard, worker } = connection;
  const { parkedMessages, oldestParkedAt } = connection;
  const isGood = attention === 'good' && status === 'online';
  return element(
    'tr',
    attention === 'bad' ? 'bad-row' : '',
    element(
      'td',
      '',
      element('b', '', label ?? 'no label'),
      ` ${account ?? ''}`,
      element('br'),
      element('code', '', id),
    ),
    element('td', '', tenantName ?? '–', element('br'), shortId(tenant)),
    element('td', attention === 'bad' ? 'bad' : (STATUS_CLASS[status] ?? ''), status.replaceAll('_', ' ')),
    element('td', '', ago(since)),
    element('td', 'why', isGood ? '' : reasonOf(connection)),
    element('td', `number ${attention === 'bad' && parkedMessages > 0 ? 'bad' : ''}`, String(parkedMessages)),
    element('td', '', oldestParkedAt === undefined ? '–' : ago(oldestParkedAt)),
    element('td', '', nextAttemptAt === undefined ? '–' : timeOf(nextAttemptAt)),
    element('td', 'number', String(shard)),
    element('td', worker === undefined ? 'bad' : '', worker === undefined ? 'nobody' : shortId(worker)),
  );
}

/**
 * Enough of an id to tell it from others; the whole id is shown under the pointer, and in the table that it is from.
 */
function shortId(id) {
  const short = element('code', '', `…${id.slice(-6)}`);
  short.title = id;
  return short;
}

function drawWorkers(workers) {
  const rank = ({ state, suspended }) => (suspended ? 0 : state === 'DEAD' ? 2 : 1);
  const rows = [...workers]
    .sort((left, right) => rank(left) - rank(right))
    .map(({ id, state, suspended, full, startedAt, lastHeartbeatAt, proof, shards, load }) =>
      element(
        'tr',
        state === 'DEAD' ? 'soft' : '',
        element('td', '', element('code', '', id)),
        element(
          'td',
          suspended ? 'bad' : WORKER_CLASS[state],
          suspended ? 'suspended' : `${state.toLowerCase()}${proof ? ` (${proof})` : full ? ' (full)' : ''}`,
        ),
        element('td', '', state === 'DEAD' ? '–' : ago(startedAt)),
        element('td', '', `${ago(lastHeartbeatAt)} ago`),
        // The last state that a dead worker reported is no longer true.
        ...[shards, load.connections, load.online, load.openFailed].map((count) =>
          element('td', 'number', state === 'DEAD' ? '–' : String(count)),
        ),
      ),
    );
  fill('workers', rows, 'No worker is running.');
}

/** Fills a table. Each cell knows the heading of its column: on a phone, where rows are cards, it stands beside it. */
function fill(id, rows, sentence) {
  const table = byId(id);
  const headings = [...table.tHead.rows[0].cells].map(({ textContent }) => textContent);
  for (const row of rows) {
    for (const [place, cell] of [...row.cells].entries()) cell.dataset.heading = headings[place];
  }
  const empty = element('td', '', sentence);
  empty.colSpan = headings.length;
  table.tBodies[0].replaceChildren(...(rows.length > 0 ? rows : [element('tr', '', empty)]));
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
