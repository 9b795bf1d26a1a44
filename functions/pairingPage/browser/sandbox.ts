import { button, make } from './draw.ts';

/**
 * What the embedded stack adds to the page: a sandbox phone that scans the code, and a chat with a customer. It is a script of its own,
 * which no page on AWS names. English alone: it is for who tries the product out.
 */
const token = decodeURIComponent(location.hash.slice(1));
const LOOK_MS = 1_000;
const WITHIN_MS = 20_000;
const beside = document.getElementById('beside');
let shows = '';

document.addEventListener('pairing', (event) => {
  const { state } = event instanceof CustomEvent ? (event.detail as { readonly state: string }) : { state: '' };
  const next = state === 'offered' ? 'phone' : state === 'linked' ? 'chat' : '';
  if (next === shows) return;
  shows = next;
  if (next === 'phone') beside?.replaceChildren(phone());
  else if (next === 'chat') beside?.replaceChildren(chat());
  else beside?.replaceChildren();
});

/** Calls the sandbox. Resolves to the answer, or to the sentence that says why there is none. */
async function call(method: 'GET' | 'POST', path: string, body?: string): Promise<{ data?: Text[]; error?: string }> {
  try {
    const answer = await fetch(`/sandbox/${path}`, {
      method,
      headers: { authorization: `Pairing ${token}` },
      ...(body === undefined ? {} : { body }),
      signal: AbortSignal.timeout(WITHIN_MS),
    });
    return (await answer.json()) as { data?: Text[]; error?: string };
  } catch {
    return { error: 'The sandbox did not answer. Try again.' };
  }
}

interface Text {
  readonly id: string;
  readonly text: string;
}

function phone(): HTMLElement {
  const said = make('p', { role: 'status', class: 'quiet' });
  const scan = button('Scan with the sandbox phone', true, () => {
    scan.disabled = true;
    void call('POST', 'scan').then(({ error = '' }) => {
      said.textContent = error;
      scan.disabled = error === '';
    });
  });
  return make('section', { 'aria-label': 'Sandbox phone' }, make('h2', {}, 'No phone at hand?'), scan, said);
}

function chat(): HTMLElement {
  const list = make('ul', { class: 'talk', 'aria-live': 'polite', 'aria-label': 'Messages that arrived' });
  const said = make('p', { role: 'status', class: 'quiet' });
  const input = make('input', { id: 'text', maxlength: '1000', autocomplete: 'off' });
  const form = make(
    'form',
    {},
    make('label', { for: 'text' }, 'Write as a customer'),
    input,
    make('button', { type: 'submit', class: 'first' }, 'Send'),
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const { value } = input;
    if (value.trim() === '') return;
    input.value = '';
    said.textContent = 'On its way …';
    void call('POST', 'messages', value).then(({ error }) => {
      if (error !== undefined) said.textContent = error;
    });
  });
  const known = new Set<string>();
  const look = async (): Promise<void> => {
    const { data = [] } = await call('GET', 'messages');
    for (const { id, text } of data.filter((each) => !known.has(each.id))) {
      known.add(id);
      list.append(make('li', {}, text));
      said.textContent = 'It arrived. Programs are told by webhook, by stream, and at GET /v1/events.';
    }
    setTimeout(() => void look(), LOOK_MS);
  };
  void look();
  return make('section', { 'aria-label': 'Chat' }, make('h2', {}, 'Try it out'), list, form, said);
}
