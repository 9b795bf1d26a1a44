import { showBrand } from './brand.ts';
import { draw, type Doings } from './draw.ts';
import { hasExtension, signByExtension } from './extension.ts';
import { closedBy, isPlaceRight, screenOf, waitMs, type Closed, type Screen } from './screen.ts';
import { callSession, type Reply, type Session, type Choice, type PasskeyAnswer } from './session.ts';
import { languageOf, words } from './words.ts';

/**
 * The pairing page. It asks the API how far the pairing of its link is, every two seconds, and draws that. The token of the link stands
 * behind `#` in the address: browsers send that part to no server and into no `Referer`.
 */
const token = decodeURIComponent(location.hash.slice(1));
const isFramed = window.top !== window.self;
const framedBy = new URLSearchParams(location.search).get('origin');
const RETURN_AFTER_MS = 4_000;
const NUMBER = /^\+?[\d\s().-]{7,25}$/;
const isPhone = matchMedia('(max-width: 40rem) and (pointer: coarse)').matches;

const card = find('card');
const status = find('status');
const brand = find('brand');
let language = languageOf(undefined, navigator.languages);
let screen: Screen = { shows: 'loading' };
let session: Session | undefined;
/** What the person does between two offers, which hides the offer that is out. */
let own: Extract<Screen, { readonly shows: 'choose' | 'number' }> | undefined;
/** The signature that is awaited, which hides the request, and is given up with it. */
let signing: AbortController | undefined;
let skewMs = 0;
let failures = 0;
let timer: ReturnType<typeof setTimeout> | undefined;
let told = '';
/** Grows with each request: an answer that another one has overtaken is not shown. */
let asked = 0;

const doings: Doings = {
  byQr: () => void choose({ method: 'qr' }),
  byCode: () => show((own = { shows: 'number', isWrong: false })),
  choose: () => show((own = { shows: 'choose' })),
  sign: (options) => void sign(options),
  back: () => signing?.abort(),
  confirm: (code) => void answer({ confirmedCode: code }),
  giveNumber: (typed) => {
    const phoneNumber = typed.trim();
    if (NUMBER.test(phoneNumber)) void choose({ method: 'code', phoneNumber: withPlus(phoneNumber) });
    else show((own = { shows: 'number', isWrong: true }));
  },
};

document.addEventListener('visibilitychange', () => {
  if (!document.hidden) void look();
});
addEventListener('hashchange', () => location.reload());
setInterval(countDown, 500);
show(screen);
void look();

/** Asks for an offer, and shows what comes of it. */
async function choose(what: Choice): Promise<void> {
  own = undefined;
  show({ shows: 'preparing', reason: 'working' });
  const reply = await request(what);
  if (reply?.outcome === 'refused' && reply.code === 'invalid_request')
    show((own = { shows: 'number', isWrong: true }));
  else if (reply?.outcome === 'refused' && reply.code === 'connection_already_paired') void look();
  else if (reply !== undefined && reply.outcome !== 'session' && closedBy(codeOf(reply)) === undefined) {
    show((own = { shows: 'choose' }));
    say(codeOf(reply) === 'too_many_pairings' ? words[language].tooMany : words[language].failed);
  }
}

/** Has a request signed by the extension, and answers it. */
async function sign(options: object): Promise<void> {
  signing?.abort();
  const mine = (signing = new AbortController());
  show({ shows: 'signing' });
  const signed = await signByExtension(options, mine.signal);
  if (signing !== mine) return;
  signing = undefined;
  if (typeof signed === 'object') return answer({ assertion: signed });
  if (session?.step !== 'required') return;
  const before = screenOf(session);
  show(before.shows === 'sign' && !mine.signal.aborted ? { ...before, went: signed } : before);
}

/** Answers the request for a passkey, and shows what comes of it. */
async function answer(what: PasskeyAnswer): Promise<void> {
  show({ shows: 'preparing', reason: 'checking' });
  const reply = await request(what);
  if (reply !== undefined && reply.outcome !== 'session' && closedBy(codeOf(reply)) === undefined) {
    await look();
    say(words[language].failed);
  }
}

async function look(): Promise<void> {
  await request();
}

/** Makes a request and takes its answer in. Resolves to undefined for one that was overtaken. */
async function request(what?: Choice | PasskeyAnswer): Promise<Reply | undefined> {
  asked += 1;
  const mine = asked;
  clearTimeout(timer);
  const reply = await callSession(token, what);
  if (mine !== asked) return undefined;
  take(reply);
  const again = waitMs(screen, reply, { failures, isHidden: document.hidden });
  if (again !== undefined) timer = setTimeout(() => void look(), again);
  return reply;
}

function take(reply: Reply): void {
  failures = reply.outcome === 'unreachable' ? failures + 1 : 0;
  if (reply.outcome === 'unreachable') return say(words[language].offline);
  if (reply.outcome === 'refused') {
    const why = closedBy(reply.code);
    return why === undefined ? undefined : close(why);
  }
  if (status.textContent === words[language].offline) say('');
  if (!isPlaceRight({ isFramed, framedBy }, reply.session)) return close('origin');
  session = reply.session;
  language = languageOf(session.language, navigator.languages);
  showBrand(session.brand ?? {}, brand);
  skewMs = reply.serverMs === undefined ? 0 : reply.serverMs - Date.now();
  if (session.state === 'linked') own = undefined;
  if (signing !== undefined && session.step === 'required') return;
  signing?.abort();
  signing = undefined;
  show(own ?? screenOf(session));
  tellAround(session);
}

function close(why: Closed): void {
  show({ shows: 'closed', why });
  document.dispatchEvent(new CustomEvent('pairing', { detail: { state: 'closed' } }));
}

/** Draws a screen. The heading of a new one is focused, so that it is read aloud; what was focused on the same one stays so. */
function show(next: Screen): void {
  const before = screen;
  const isSame = JSON.stringify([before, language]) === JSON.stringify([next, document.documentElement.lang]);
  screen = next;
  document.documentElement.lang = language;
  document.title = words[language].title;
  if (isSame && card.dataset['shows'] === next.shows) return;
  card.dataset['shows'] = next.shows;
  const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset['key'] : undefined;
  draw(card, next, { words: words[language], isPhone, isFramed, hasExtension: hasExtension(), doings });
  countDown();
  if (next.shows === before.shows) {
    for (const element of card.querySelectorAll<HTMLElement>('[data-key]'))
      if (element.dataset['key'] === focused) element.focus();
    return;
  }
  say(sentenceOf(next), true);
  const [heading] = card.getElementsByTagName('h1');
  if (next.shows === 'number') document.getElementById('number')?.focus();
  else if (before.shows !== 'loading') heading?.focus();
  if (next.shows === 'linked' && next.returnUrl !== undefined && !isFramed) {
    const { returnUrl } = next;
    setTimeout(() => location.assign(returnUrl), RETURN_AFTER_MS);
  }
}

function sentenceOf(next: Screen): string {
  if (next.shows === 'preparing') return words[language].preparing;
  return next.shows === 'linked' ? words[language].linkedTo.replace('{account}', next.account) : '';
}

/**
 * Tells a person something that may not stand on the screen.
 * @param isAloud whether it stands there already, so that it is only to be read aloud
 */
function say(text: string, isAloud = false): void {
  status.className = isAloud ? 'aloud' : '';
  if (status.textContent !== text) status.textContent = text;
}

function countDown(): void {
  const line = document.getElementById('countdown');
  if (line === null || !('untilMs' in screen) || screen.untilMs === undefined) return;
  const seconds = Math.max(0, Math.ceil((screen.untilMs - skewMs - Date.now()) / 1_000));
  const text = screen.shows === 'qr' ? words[language].newIn : words[language].endsIn;
  line.textContent = text.replace('{n}', String(seconds));
}

/** Tells the window around or behind the page, if it is of the origin that the link names; and whoever draws beside it. */
function tellAround({ state, connectionId, origin, isOnline }: Session): void {
  const now = `${state} ${String(isOnline)}`;
  if (now === told) return;
  told = now;
  document.dispatchEvent(new CustomEvent('pairing', { detail: session }));
  const other: unknown = isFramed ? window.parent : window.opener;
  if (origin === undefined || !isWindow(other)) return;
  other.postMessage({ type: 'holdfast.pairing', state, connectionId, isOnline: isOnline === true }, origin);
}

function isWindow(other: unknown): other is Window {
  return typeof other === 'object' && other !== null && 'postMessage' in other;
}

function withPlus(phoneNumber: string): string {
  return phoneNumber.startsWith('+') ? phoneNumber : `+${phoneNumber}`;
}

function codeOf(reply: Reply): string {
  return reply.outcome === 'refused' ? reply.code : '';
}

function find(id: string): HTMLElement {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`the page has no ${id}`);
  return element;
}
