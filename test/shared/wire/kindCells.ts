import { z } from 'zod';
import type { AnyContentKind } from '../../../shared/content/contentKind.ts';
import { impossibleKinds } from '../../../shared/content/impossibleKinds.ts';
import { understoodKinds } from '../../../shared/wire/understoodKinds.ts';

/** A test that shows what a cell of the table of kinds says, for one kind. */
export interface ShownBy {
  /** The path from the root of the repository. */
  readonly file: string;
  /** The title that the test of a kind has, with the suites around it, as `vitest list` names it. */
  readonly title: (type: string) => string;
}

/** The tests, under the names by which the cells link to them. */
export const shownBy = {
  received: {
    file: 'test/e2e/everyKind.prove.ts',
    title: (type) => of(everyKind, `a phone writes it, and the webhook and the API tell it: ${type}`),
  },
  event: {
    file: 'test/e2e/actsBothWays.prove.ts',
    title: () =>
      of(
        'what is done to a message, through every process of the embedded stack',
        'hears what phones do to our messages and to theirs, plain and sealed',
      ),
  },
  sent: {
    file: 'test/e2e/everyKind.prove.ts',
    title: (type) => of(everyKind, `asks for it, and the phone shows it: ${type}`),
  },
  'not sent': {
    file: 'test/shared/content/contentKinds.test.ts',
    title: (type) => of('every kind of content', `is not sent where it only arrives: ${type}`),
  },
  'edited by others': {
    file: 'test/shared/event/editedKinds.test.ts',
    title: (type) => of('an edit', `by its writer changes what it says, and the event says so: ${type}`),
  },
  'edited by you': {
    file: 'test/shared/event/editedKinds.test.ts',
    title: (type) => of('an edit', `by the account is of a text or a caption, and is refused of all else: ${type}`),
  },
  statuses: {
    file: 'test/e2e/everyKind.prove.ts',
    title: (type) => of(everyKind, `delivers it, and its status says so: ${type}`),
  },
  cloud: {
    file: 'test/shared/content/cloudKinds.test.ts',
    title: (type) =>
      of('the Cloud API', `has a type of this name where the row says so, and its fields are ours: ${type}`),
  },
  limits: {
    file: 'test/shared/content/contentKinds.test.ts',
    title: (type) =>
      of('every kind of content', `bounds whatever a stranger writes, and a second time changes nothing: ${type}`),
  },
} as const satisfies Readonly<Record<string, ShownBy>>;
export type ShownByName = keyof typeof shownBy;

const everyKind = 'every kind, through every process of the embedded stack';

function of(suite: string, title: string): string {
  return `${suite} > ${title}`;
}

/** A cell: its parts, each with the test that shows it. Without parts it says that there is nothing. */
export type Cell = readonly (readonly [says: string, by: ShownByName])[];

/** The cells of a kind, without the fields of the protocol, in the order of the table. */
export interface KindCells {
  readonly received: Cell;
  readonly sent: Cell;
  readonly edited: Cell;
  readonly statuses: Cell;
  readonly cloud: Cell;
  readonly limits: Cell;
}

/** The kinds that arrive as an event of their own and as no message. */
const events: Readonly<Record<string, string>> = { edit: '`message.edited`', revoke: '`message.deleted`' };
/** The kinds that a linked device may edit. */
const editedByUs: ReadonlySet<string> = new Set(['text', 'image', 'video', 'document']);

/** The kinds that name another message where they choose of what it offers, and else stand for themselves. */
const choices: ReadonlySet<string> = new Set(['interactive']);

/** @param limits the limits that are not those of most kinds */
export function cellsOf(type: string, row: AnyContentKind, limits: readonly string[]): KindCells {
  const isEdited = Object.hasOwn(understoodKinds, type) && (choices.has(type) || !isAboutOthers(row));
  const event = events[type];
  const cannot = Object.hasOwn(impossibleKinds, type) ? 'not possible' : 'no';
  return {
    received: row.in !== undefined ? [['yes', 'received']] : event === undefined ? [] : [[event, 'event']],
    sent: [row.out === undefined ? [cannot, 'not sent'] : ['yes', 'sent']],
    edited: [
      ...(isEdited ? [['by others', 'edited by others'] as const] : []),
      ...(editedByUs.has(type) ? [['by you', 'edited by you'] as const] : []),
    ],
    statuses: row.out === undefined ? [] : [['yes', 'statuses']],
    cloud: row.cloud === true ? [['the same', 'cloud']] : [],
    limits: row.in === undefined ? [] : [[limits.join('; ') || 'usual', 'limits']],
  };
}

/** A kind that is about another message, such as a reaction: no phone edits one. */
function isAboutOthers({ shown }: AnyContentKind): boolean {
  const { properties = {} } = z.toJSONSchema(shown, { unrepresentable: 'any', io: 'input' });
  return Object.hasOwn(properties, 'message_id');
}
