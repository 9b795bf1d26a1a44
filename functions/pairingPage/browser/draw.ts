import type { Screen } from './screen.ts';
import type { Words } from './words/en.ts';

/** What a person can do on the page. */
export interface Doings {
  readonly byQr: () => void;
  readonly byCode: () => void;
  readonly giveNumber: (phoneNumber: string) => void;
  readonly choose: () => void;
  readonly sign: (options: object) => void;
  /** Gives a signature up that has not come. */
  readonly back: () => void;
  readonly confirm: (code: string) => void;
}

/** What a screen is drawn with. */
export interface Drawing {
  readonly words: Words;
  /** Whether the page is on a phone, which cannot scan itself: the code comes first there. */
  readonly isPhone: boolean;
  readonly isFramed: boolean;
  /** Whether the extension is there that has a passkey used. */
  readonly hasExtension: boolean;
  readonly doings: Doings;
}

type Child = Node | string;
const SVG = 'http://www.w3.org/2000/svg';
/** The empty squares around a QR picture that cameras need. */
const MARGIN = 4;

/** Makes an element. Texts become text nodes, so nothing that comes from outside is taken for markup. */
export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** A button; `data-key` finds it again when the screen is drawn anew. */
export function button(text: string, isFirst: boolean, act: () => void): HTMLButtonElement {
  const made = make('button', { type: 'button', 'data-key': text, ...(isFirst ? { class: 'first' } : {}) }, text);
  made.addEventListener('click', act);
  return made;
}

const heading = (text: string): Child => make('h1', { tabindex: '-1' }, text);
const steps = (lines: readonly string[]): Child => make('ol', {}, ...lines.map((line) => make('li', {}, line)));
const countdown = (): Child => make('p', { class: 'quiet', id: 'countdown' });

type Draw<Shows extends Screen['shows']> = (
  screen: Extract<Screen, { readonly shows: Shows }>,
  drawing: Drawing,
) => readonly Child[];

/** What each screen has on it, from top to bottom. */
const drawings: { readonly [Shows in Screen['shows']]: Draw<Shows> } = {
  loading: (_screen, { words }) => [make('p', { class: 'quiet waits' }, words.loading)],
  choose: ({ reason }, { words, isPhone, doings }) => [
    heading(words.title),
    ...(reason === undefined ? [] : [make('p', { class: 'wrong' }, words.reasons[reason])]),
    make('p', {}, words.choose),
    ...inOrder(isPhone, button(words.byCode, isPhone, doings.byCode), button(words.byQr, !isPhone, doings.byQr)),
  ],
  number: ({ isWrong }, { words, doings }) => [heading(words.numberLabel), numberForm(isWrong, words, doings)],
  preparing: ({ reason }, { words }) => [
    heading(words.title),
    make('p', { class: 'waits' }, reason === 'working' ? words.preparing : words.reasons[reason]),
  ],
  qr: ({ size, path }, { words, doings }) => [
    heading(words.qrTitle),
    qrPicture(size, path, words.qrPicture),
    countdown(),
    steps(words.qrSteps),
    button(words.otherWay, false, doings.choose),
  ],
  code: ({ code, phoneNumber }, { words, doings }) => [
    heading(words.codeTitle),
    make('p', { class: 'code', id: 'code' }, code),
    make('p', { class: 'quiet' }, phoneNumber),
    countdown(),
    steps(words.codeSteps),
    button(words.otherWay, false, doings.choose),
  ],
  sign: ({ options, went }, { words, hasExtension, doings }) => [
    heading(words.signTitle),
    ...(went === undefined
      ? []
      : [make('p', { class: 'wrong' }, went === 'refused' ? words.signRefused : words.failed)]),
    make('p', {}, words.signWhy),
    ...(hasExtension
      ? [button(words.sign, true, () => doings.sign(options))]
      : [make('p', { class: 'wrong' }, words.signMissing)]),
    countdown(),
    button(words.otherWay, false, doings.choose),
  ],
  signing: (_screen, { words, doings }) => [
    heading(words.signTitle),
    make('p', { class: 'waits' }, words.signing),
    button(words.back, false, doings.back),
  ],
  compare: ({ code }, { words, doings }) => [
    heading(words.compareTitle),
    make('p', { class: 'code', id: 'code' }, code),
    make('p', {}, words.compareHow),
    countdown(),
    button(words.same, true, () => doings.confirm(code)),
    button(words.different, false, doings.choose),
  ],
  linked: ({ account, isOnline, returnUrl }, { words, isFramed }) => [
    heading(words.linked),
    make('p', {}, words.linkedTo.replace('{account}', account)),
    make('p', { class: 'quiet' }, isOnline ? words.canClose : words.finishing),
    ...(returnUrl === undefined
      ? []
      : [make('a', { class: 'button first', href: returnUrl, ...(isFramed ? { target: '_top' } : {}) }, words.goOn)]),
  ],
  closed: ({ why }, { words }) => [heading(words.closedTitle), make('p', {}, words.closed[why])],
};

/** Draws a screen into an element. */
export function draw<Shows extends Screen['shows']>(
  into: HTMLElement,
  screen: Extract<Screen, { readonly shows: Shows }> & { readonly shows: Shows },
  drawing: Drawing,
): void {
  into.replaceChildren(...drawings[screen.shows](screen, drawing));
}

function inOrder(isPhone: boolean, code: Child, qr: Child): readonly Child[] {
  return isPhone ? [code, qr] : [qr, code];
}

function numberForm(isWrong: boolean, words: Words, doings: Doings): HTMLFormElement {
  const input = make('input', {
    id: 'number',
    'data-key': 'number',
    type: 'tel',
    inputmode: 'tel',
    autocomplete: 'tel',
    required: '',
    maxlength: '30',
    'aria-describedby': 'hint',
    ...(isWrong ? { 'aria-invalid': 'true' } : {}),
  });
  const send = make('button', { type: 'submit', class: 'first', 'data-key': words.getCode }, words.getCode);
  const form = make(
    'form',
    { novalidate: '' },
    make('label', { for: 'number' }, words.numberLabel),
    input,
    make('p', { id: 'hint', class: isWrong ? 'wrong' : 'quiet' }, isWrong ? words.numberWrong : words.numberHint),
    send,
    button(words.back, false, doings.choose),
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    doings.giveNumber(input.value);
  });
  return form;
}

function qrPicture(size: number, path: string, name: string): SVGSVGElement {
  const picture = document.createElementNS(SVG, 'svg');
  const whole = size + 2 * MARGIN;
  picture.setAttribute('viewBox', `${-MARGIN} ${-MARGIN} ${whole} ${whole}`);
  picture.setAttribute('class', 'qr');
  picture.setAttribute('role', 'img');
  picture.setAttribute('aria-label', name);
  picture.setAttribute('shape-rendering', 'crispEdges');
  const squares = document.createElementNS(SVG, 'path');
  squares.setAttribute('d', path);
  picture.append(squares);
  return picture;
}
