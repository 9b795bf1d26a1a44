import type { BodyOf } from '../content/content.ts';
import { part, parts, shape, text, type Read } from './shape.ts';

type Action = NonNullable<BodyOf<'interactive'>['action']>;
type Button = NonNullable<Action['buttons']>[number];
type Section = NonNullable<Action['sections']>[number];

/** A button of a native flow: its name says what it does, and JSON says with what. */
export const nativeButton = shape({ name: text(1), params: text(2) });
export const nativeFlow = shape({ buttons: parts(1, nativeButton), params: text(2) });
export const nativeFlowPart = part(6, nativeFlow);
type NativeButton = Read<typeof nativeButton>;

/** The longest JSON that is read; a button has less than a kilobyte. */
const LONGEST_JSON = 65_536;

/** The fields of an object in JSON that a stranger wrote; none where it is no object. */
export function readJson(json: string | undefined): Readonly<Record<string, unknown>> {
  if (json === undefined || json.length > LONGEST_JSON) return {};
  try {
    return toFields(JSON.parse(json));
  } catch {
    return {};
  }
}

/** The text or number in a field of such an object. */
export function textIn(fields: Readonly<Record<string, unknown>>, ...names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (typeof value === 'string' && value !== '') return value;
    if (typeof value === 'number') return String(value);
  }
  return undefined;
}

/** A button with the names of the Cloud API; one of a kind that has no form here comes with all that is in it. */
export function toButton({ name = '', params }: NativeButton): Button {
  const fields = readJson(params);
  const title = textIn(fields, 'display_text', 'title');
  if (name === 'quick_reply') return { type: 'reply', reply: { id: textIn(fields, 'id') ?? '', title: title ?? '' } };
  if (name === 'cta_url') return { type: name, parameters: { display_text: title, url: textIn(fields, 'url') } };
  if (name === 'cta_call') {
    return { type: name, parameters: { display_text: title, phone_number: textIn(fields, 'phone_number', 'id') } };
  }
  if (name === 'cta_copy') {
    return { type: 'copy_code', parameters: { display_text: title, code: textIn(fields, 'copy_code') } };
  }
  return { type: name, parameters: { display_text: title, json: params } };
}

const LIST = 'single_select';

/** What a native flow lets its reader do, and the kind of it that the Cloud API has. */
export function toFlow(buttons: readonly NativeButton[]): { readonly type: string; readonly action: Action } {
  const lists = buttons.filter(({ name }) => name === LIST).map(({ params }) => readJson(params));
  const others = buttons.filter(({ name }) => name !== LIST).map(toButton);
  const only = others.length === 1 ? others[0] : undefined;
  if (lists.length > 0) {
    const sections = lists.flatMap((fields) => listIn(fields, 'sections').map(toSection));
    return { type: 'list', action: { button: textIn(lists[0] ?? {}, 'title'), sections, buttons: others } };
  }
  if (only?.type === 'cta_url') return { type: only.type, action: { name: only.type, parameters: only.parameters } };
  return { type: others.every(({ type }) => type === 'reply') ? 'button' : 'native_flow', action: { buttons: others } };
}

function toSection(fields: Readonly<Record<string, unknown>>): Section {
  const rows = listIn(fields, 'rows').map((row) => ({
    id: textIn(row, 'id') ?? '',
    title: textIn(row, 'title') ?? '',
    description: textIn(row, 'description'),
  }));
  return { title: textIn(fields, 'title'), rows };
}

function listIn(fields: Readonly<Record<string, unknown>>, name: string): readonly Readonly<Record<string, unknown>>[] {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
  return Array.isArray(value) ? value.map(toFields) : [];
}

function toFields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
