import type { BodyOf } from '../../content/content.ts';
import type { MediaFile } from '../../content/mediaFile.ts';
import { documentFile, imageFile, videoFile } from '../files.ts';
import { headFiles, place, toHeader, wordsOf } from '../interactiveParts.ts';
import { fieldOf, inFields } from '../oneField.ts';
import { part, parts, shape, text, texts, type Read } from '../shape.ts';
import type { Understood } from '../understoodKind.ts';
import { interactiveFiles, interactiveShape, toInteractive } from './interactive.ts';

type Body = BodyOf<'template'>;
type Button = NonNullable<NonNullable<Body['action']>['buttons']>[number];

const HIGHLY_STRUCTURED = 14;
const TEMPLATE = 25;

const hydratedButton = shape({
  reply: part(1, shape({ title: text(1), id: text(2) })),
  link: part(2, shape({ title: text(1), url: text(2) })),
  call: part(3, shape({ title: text(1), phoneNumber: text(2) })),
});
const hydrated = shape({
  document: part(1, documentFile),
  title: text(2),
  image: part(3, imageFile),
  video: part(4, videoFile),
  location: part(5, place),
  body: text(6),
  footer: text(7),
  buttons: parts(8, hydratedButton),
  id: text(9),
});
/** A template by its name: its words are in the app of its reader. */
const named = shape({ namespace: text(1), name: text(2), params: texts(3), more: parts(6, shape({ text: text(1) })) });
const fourRows = shape({
  document: part(1, documentFile),
  image: part(3, imageFile),
  video: part(4, videoFile),
  location: part(5, place),
  content: part(6, named),
  buttons: parts(8, shape({ reply: part(1, shape({ id: text(2) })) })),
});
const templateShape = shape({
  fourRows: part(1, fourRows),
  hydratedAlone: part(2, hydrated),
  hydrated: part(4, hydrated),
  interactive: part(5, interactiveShape),
  id: text(9),
});
const structured = shape({
  namespace: text(1),
  name: text(2),
  params: texts(3),
  more: parts(6, shape({ text: text(1) })),
  hydrated: part(9, templateShape),
});

export const template: Understood<Body> = inFields<Body>([
  fieldOf({ field: TEMPLATE, shape: templateShape, context: 3, toBody: fromTemplate, files: templateFiles }),
  fieldOf({
    field: HIGHLY_STRUCTURED,
    shape: structured,
    toBody: (read) => ({ ...fromTemplate(read.hydrated ?? {}), ...fromNamed(read) }),
    files: (read) => templateFiles(read.hydrated ?? {}),
  }),
]);

function fromTemplate(read: Read<typeof templateShape>): Body {
  const { fourRows: rows, interactive } = read;
  const words = read.hydrated ?? read.hydratedAlone;
  const id = read.id ?? words?.id;
  if (words !== undefined) return { id, ...fromHydrated(words) };
  if (interactive !== undefined) {
    const { header, body, footer, action } = toInteractive(interactive);
    return { id, header, body, footer, action };
  }
  if (rows === undefined) return { id };
  const buttons = (rows.buttons ?? []).flatMap(({ reply }): Button[] =>
    reply?.id === undefined ? [] : [{ type: 'reply', reply: { id: reply.id, title: '' } }],
  );
  return { id, ...fromNamed(rows.content ?? {}), header: toHeader(rows), action: { buttons } };
}

function fromHydrated(read: Read<typeof hydrated>): Body {
  const buttons = (read.buttons ?? []).flatMap(({ reply, link, call }): Button[] => {
    if (reply !== undefined) return [{ type: 'reply', reply: { id: reply.id ?? '', title: reply.title ?? '' } }];
    if (link !== undefined) return [{ type: 'cta_url', parameters: { display_text: link.title, url: link.url } }];
    if (call === undefined) return [];
    return [{ type: 'cta_call', parameters: { display_text: call.title, phone_number: call.phoneNumber } }];
  });
  return {
    header: toHeader(read),
    body: wordsOf(read.body),
    footer: wordsOf(read.footer),
    action: { buttons },
  };
}

function fromNamed({ namespace, name, params = [], more = [] }: Read<typeof named>): Body {
  const parameters = [...params, ...more.flatMap(({ text: words }) => words ?? [])];
  return { namespace, name, ...(parameters.length === 0 ? {} : { parameters }) };
}

function templateFiles(read: Read<typeof templateShape>): readonly MediaFile[] {
  const head = read.hydrated ?? read.hydratedAlone ?? read.fourRows;
  if (head !== undefined) return headFiles(head, 'header');
  return read.interactive === undefined ? [] : interactiveFiles(read.interactive);
}
