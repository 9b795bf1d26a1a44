import { z } from 'zod';
import type { AnyContentKind } from '../../../shared/content/contentKind.ts';
import { contentKinds } from '../../../shared/content/contentKinds.ts';
import { impossibleKinds, INTERACTIVE_IMPOSSIBLE } from '../../../shared/content/impossibleKinds.ts';
import { bookkeeping, kindOf, messageFields, PROTOCOL, wrappers } from '../../../shared/wire/messageFields.ts';
import type { Understood } from '../../../shared/wire/understoodKind.ts';
import { understoodKinds } from '../../../shared/wire/understoodKinds.ts';
import { cellsOf, shownBy, type Cell, type KindCells } from './kindCells.ts';

/** The tables of `docs/messages.md` that follow from the rows. */
const kinds: Readonly<Record<string, AnyContentKind>> = contentKinds;
const understood: Readonly<Record<string, Understood<unknown>>> = understoodKinds;
/** A text up to this length is as long as most. */
const USUAL_UNITS = 4_096;
/** The greatest depth of a field that the table shows. */
const DEEPEST = 2;

export function kindsSection(): readonly string[] {
  return [
    '## Kinds with a form',
    '',
    'A content is `{type, [type]: body}`, as in the messages of the Cloud API, the same in a request, on a message, and in an event; where',
    'the Cloud API has the type, names and forms are its own, and what is ours beside them is in the same style. Each kind is one file in',
    "`shared/content/kinds`: whether it is sent, received or both, its limits, and an example; the API's own document (`/v1/openapi.json`)",
    'shows all of them. A kind that cannot be read after all is `unsupported`. The texts of a received body are 56,000 UTF-16 units',
    'together: names and ids have 512 each, what people write 4,096, or what the table says. Where something is cut, the',
    'body says `truncated: true`. Each field of each kind is tested as it stands on the wire (`test/shared/wire/kinds`).',
    '',
    '| type | fields of the protocol | received | sent | edited | statuses | Cloud API | limits of what is received |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
    ...Object.entries(kinds).map(([type, row]) => rowOf(type, row)),
    '',
    'Each cell leads to the test that shows it, whose title ends with the type (the link has it).',
    '',
    'Not possible on linked devices:',
    '',
    ...Object.entries(impossibleKinds).map(([type, reason]) => `- \`${type}\`: ${reason}`),
    `- Buttons and lists (\`interactive\`): ${INTERACTIVE_IMPOSSIBLE}`,
    '',
    ...Object.entries(shownBy).map(([name, { file, title }]) => `[${name}]: ../${file} '${title('…')}'`),
    '',
  ];
}

/** The cells of all kinds. */
export function kindCells(): readonly (readonly [type: string, cells: KindCells])[] {
  return Object.entries(kinds).map(([type, row]) => [type, cellsOf(type, row, limitsOfKind(row))]);
}

export function otherKindsSection(): readonly string[] {
  const formed = new Set(Object.values(understood).flatMap(({ fields }) => fields));
  const others = Object.keys(messageFields)
    .map(Number)
    .filter((number) => bookkeeping[number] === undefined && !wrappers.has(number) && number !== PROTOCOL)
    .filter((number) => !formed.has(number))
    .map((number) => `\`${kindOf(number)}\` (${number})`);
  return [
    '## Kinds without one',
    '',
    `A kind is WhatsApp's own name of the field, without \`Message\` and version: ${others.join(', ')}.`,
    '',
  ];
}

function rowOf(type: string, row: AnyContentKind): string {
  const fields = (understood[type]?.fields ?? []).map((number) => `\`${messageFields[number] ?? ''}\` ${number}`);
  const cells = Object.values(cellsOf(type, row, limitsOfKind(row))).map(textOf);
  return `| ${[`\`${type}\``, fields.join(', ') || '–', ...cells].join(' | ')} |`;
}

function textOf(cell: Cell): string {
  return cell.map(([says, by]) => `[${says}][${by}]`).join(', ') || '–';
}

function limitsOfKind({ in: isReceived, shown }: AnyContentKind): readonly string[] {
  return isReceived === undefined
    ? []
    : limitsOf(z.toJSONSchema(shown, { unrepresentable: 'any', io: 'input' }) as Schema);
}

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly maxItems?: number;
  readonly maxLength?: number;
}

/** The limits in a schema that are not the usual ones, each field of lists and objects under the name of what it stands in. */
function limitsOf({ properties = {} }: Schema, within: readonly string[] = []): readonly string[] {
  if (within.length === DEEPEST) return [];
  return Object.entries(properties).flatMap(([name, field]) => {
    const { maxLength = 0, maxItems, items } = field;
    const names = [...within, name];
    const path = names.join('.');
    return [
      ...(maxLength > USUAL_UNITS ? [`\`${path}\` ${maxLength.toLocaleString('en')}`] : []),
      ...(maxItems === undefined ? [] : [`\`${path}\` ${maxItems} entries`]),
      ...limitsOf(field, names),
      ...(items === undefined ? [] : limitsOf(items, names)),
    ];
  });
}
