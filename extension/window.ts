import { failed, type Outcome } from './messages.ts';
import { languageOf, words } from './words.ts';

/**
 * The part on WhatsApp's origin: it says which site asks for what, and uses the passkey when the person has pressed the button for it. It runs on one
 * small text of that origin, in a world of its own, which no script of the site reaches.
 */
const port = chrome.runtime.connect({ name: 'window' });
const AWAKE_EVERY_MS = 20_000;
setInterval(() => port.postMessage({}), AWAKE_EVERY_MS);

port.onMessage.addListener((message) => {
  if (typeof message !== 'object' || message === null || !('options' in message) || !('from' in message)) return;
  show(String(message.from), message.options as PublicKeyCredentialRequestOptionsJSON);
});

function show(from: string, options: PublicKeyCredentialRequestOptionsJSON): void {
  const language = languageOf(navigator.languages);
  const text = words[language];
  document.documentElement.lang = language;
  document.title = text.title;
  const main = make('main');
  main.append(
    make('h1', text.title),
    make('p', text.asks.replace('{site}', new URL(from).host)),
    make('p', text.means),
    button(text.use, () => void use(options)),
    button(text.cancel, () => tell(failed('refused'))),
  );
  main.setAttribute(
    'style',
    'font: 1rem/1.5 system-ui, sans-serif; max-width: 26rem; margin: 2rem auto; padding: 0 1rem',
  );
  document.body.replaceChildren(main);
  main.querySelector('button')?.focus();
}

async function use(options: PublicKeyCredentialRequestOptionsJSON): Promise<void> {
  try {
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
    const credential = await navigator.credentials.get({ publicKey });
    if (credential instanceof PublicKeyCredential) tell({ type: 'passkey.signed', assertion: credential.toJSON() });
    else tell(failed('unsupported'));
  } catch (error) {
    // The browser says the same of a person who cancels, of one who waits too long, and of one who has no such passkey.
    tell(failed(error instanceof DOMException && error.name === 'NotAllowedError' ? 'refused' : 'unsupported'));
  }
}

function tell(outcome: Outcome): void {
  port.postMessage(outcome);
}

function make(tag: string, text = ''): HTMLElement {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
}

function button(text: string, act: () => void): HTMLElement {
  const made = make('button', text);
  made.setAttribute('style', 'font: inherit; display: block; width: 100%; min-height: 3rem; margin: 0.75rem 0');
  made.addEventListener('click', ({ isTrusted }) => {
    // A press that a script has made is no press of a person.
    if (isTrusted) act();
  });
  return made;
}
