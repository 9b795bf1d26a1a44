/** The page at /ops: asks for the operator key, then reads figures, fleet and connections every ten seconds. */
import { drawCard, isBeyond, isSilent, spell as spellFigure, toWholeMinutes } from './chart.js';
import { ago, ATTENTION, byId, drawConnections, drawWorkers, element, nameOf, reasonOf, timeOf } from './tables.js';

const EVERY_MS = 10_000;
const KEY = 'holdfast-operator-key';
const PROBLEMS_SHOWN = 12;

const [ask, room, pulse, tabs, charts] = ['ask', 'room', 'pulse', 'tabs', 'charts'].map(byId);
let shown = location.hash.slice(1) || 'ops';
let latest;
let timer;

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
    latest = { figures: toWholeMinutes(figures), fleet, ...health };
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

ask.addEventListener('submit', (event) => {
  event.preventDefault();
  sessionStorage.setItem(KEY, byId('key').value.trim());
  byId('key').value = '';
  void refresh();
});
byId('filter').addEventListener('input', () => latest && drawConnections(latest.connections));
byId('leave').addEventListener('click', () => {
  clearTimeout(timer);
  askForKey('');
});
byId('minutes').addEventListener('change', () => void refresh());
if (sessionStorage.getItem(KEY) === null) askForKey('');
else void refresh();
