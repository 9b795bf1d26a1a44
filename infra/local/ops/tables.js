/** The tables of the page at /ops, and the words that it has for connections and times. */
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
export const ATTENTION = ['bad', 'look', 'good'];

export const byId = (id) => document.getElementById(id);

export const element = (name, className, ...children) => {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children);
  return made;
};

/**
 * The name for people is the label, and the tenant's name beside it, because two connections may have the same label.
 */
export const nameOf = ({ id, label, tenantName }) =>
  label === undefined ? id : `${label}${tenantName === undefined ? '' : ` of ${tenantName}`}`;
export const reasonOf = ({ reason, sendsPaused }) =>
  sendsPaused === undefined ? reason : `${reason} The next try is at ${timeOf(sendsPaused.until)}.`;
export const timeOf = (at) => new Date(at).toLocaleTimeString([], { timeZoneName: 'short' });

/** What of a connection is searched for the words of the filter: each of them must be in it. */
const textOf = ({ id, label, account, tenant, tenantName, status, reason, worker }) =>
  [id, label, account, tenant, tenantName, status.replaceAll('_', ' '), reason, worker].join(' ').toLowerCase();

export function drawConnections(connections) {
  const words = byId('filter').value.toLowerCase().split(/\s+/).filter(Boolean);
  const wanted = connections.filter((connection) => words.every((word) => textOf(connection).includes(word)));
  byId('connection-count').textContent =
    words.length === 0
      ? `${connections.length} wanted online`
      : `${wanted.length} of ${connections.length} wanted online`;
  const worstFirst = [...wanted].sort(
    (left, right) =>
      ATTENTION.indexOf(left.attention) - ATTENTION.indexOf(right.attention) ||
      (left.status === 'online') - (right.status === 'online') ||
      nameOf(left).localeCompare(nameOf(right)),
  );
  fill(
    'connections',
    worstFirst.map(toRow),
    words.length === 0 ? 'No connection is wanted online.' : 'No connection has all of these words.',
  );
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

export function drawWorkers(workers) {
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

export function ago(at) {
  const seconds = Math.max(0, Math.round((Date.now() - Date.parse(at)) / 1_000));
  if (seconds < 90) return `${seconds} s`;
  if (seconds < 5_400) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} d`;
}
