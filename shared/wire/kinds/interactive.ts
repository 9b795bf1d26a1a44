import type { BodyOf } from '../../content/content.ts';
import type { MediaFile } from '../../content/mediaFile.ts';
import { documentFile, imageFile, videoFile } from '../files.ts';
import { headFiles, place, productHead, toHeader, wordsOf } from '../interactiveParts.ts';
import { nativeButton, nativeFlowPart, readJson, textIn, toButton, toFlow } from '../nativeFlow.ts';
import { fieldOf, inFields } from '../oneField.ts';
import { part, parts, shape, text, type Read } from '../shape.ts';
import type { Understood } from '../understoodKind.ts';

type Body = BodyOf<'interactive'>;

const LIST = 36;
const LIST_RESPONSE = 39;
const BUTTONS = 42;
const BUTTONS_RESPONSE = 43;
const INTERACTIVE = 45;
const INTERACTIVE_RESPONSE = 48;

const words = shape({ text: text(1) });
const buttons = shape({
  title: text(1),
  document: part(2, documentFile),
  image: part(3, imageFile),
  video: part(4, videoFile),
  location: part(5, place),
  body: text(6),
  footer: text(7),
  buttons: parts(9, shape({ id: text(1), text: part(2, words), native: part(4, nativeButton) })),
});
const row = shape({ title: text(1), description: text(2), id: text(3) });
const productSection = shape({ title: text(1), products: parts(2, shape({ id: text(1) })) });
const list = shape({
  title: text(1),
  body: text(2),
  button: text(3),
  sections: parts(5, shape({ title: text(1), rows: parts(2, row) })),
  products: part(6, shape({ sections: parts(1, productSection) })),
  footer: text(7),
});
const head = shape({
  title: text(1),
  subtitle: text(2),
  document: part(3, documentFile),
  image: part(4, imageFile),
  video: part(7, videoFile),
  location: part(8, place),
  product: part(9, productHead),
});
const cardFields = {
  header: part(1, head),
  body: part(2, words),
  footer: part(3, words),
  flow: nativeFlowPart,
} as const;
const card = shape(cardFields);
/** The `interactiveMessage` of the protocol, which a template can hold, too. A card is no carousel of cards. */
export const interactiveShape = shape({
  ...cardFields,
  shop: part(4, shape({ id: text(1) })),
  collection: part(5, shape({ id: text(2) })),
  carousel: part(7, shape({ cards: parts(1, card) })),
});
export type InteractiveRead = Read<typeof interactiveShape>;
const listResponse = shape({
  title: text(1),
  reply: part(3, shape({ id: text(1) })),
  description: text(5),
});
const buttonsResponse = shape({ id: text(1), title: text(2) });
const response = shape({ body: part(1, words), flow: part(2, shape({ name: text(1), params: text(2) })) });

export const interactive: Understood<Body> = inFields<Body>([
  fieldOf({
    field: BUTTONS,
    shape: buttons,
    context: 8,
    toBody: fromButtons,
    files: (read) => headFiles(read, 'header'),
  }),
  fieldOf({ field: LIST, shape: list, context: 8, toBody: fromList }),
  fieldOf({ field: INTERACTIVE, shape: interactiveShape, context: 15, toBody: toInteractive, files: interactiveFiles }),
  fieldOf({
    field: BUTTONS_RESPONSE,
    shape: buttonsResponse,
    context: 3,
    toBody: ({ id = '', title = '' }): Body => ({ type: 'button_reply', button_reply: { id, title } }),
  }),
  fieldOf({ field: LIST_RESPONSE, shape: listResponse, context: 4, toBody: fromListResponse }),
  fieldOf({ field: INTERACTIVE_RESPONSE, shape: response, context: 15, toBody: fromResponse }),
]);

function fromButtons(read: Read<typeof buttons>): Body {
  const offered = (read.buttons ?? []).map(({ id = '', text: title, native }) =>
    native === undefined ? { type: 'reply', reply: { id, title: title?.text ?? '' } } : toButton(native),
  );
  return {
    type: 'button',
    header: toHeader(read),
    body: wordsOf(read.body),
    footer: wordsOf(read.footer),
    action: { buttons: offered },
  };
}

function fromList({ title, body, button, sections = [], products, footer }: Read<typeof list>): Body {
  const rows = sections.map((section) => ({
    title: section.title,
    rows: (section.rows ?? []).map((each) => ({
      id: each.id ?? '',
      title: each.title ?? '',
      description: each.description,
    })),
  }));
  const ofProducts = (products?.sections ?? []).map((section) => ({
    title: section.title,
    product_items: (section.products ?? []).map(({ id = '' }) => ({ product_retailer_id: id })),
  }));
  return {
    type: ofProducts.length > 0 ? 'product_list' : 'list',
    header: toHeader(title === undefined ? {} : { title }),
    body: wordsOf(body),
    footer: wordsOf(footer),
    action: { button, sections: [...rows, ...ofProducts] },
  };
}

export function toInteractive(read: InteractiveRead): Body {
  const { header = {}, body, footer, flow, carousel, shop, collection } = read;
  const told = { header: toHeader(header), body: wordsOf(body?.text), footer: wordsOf(footer?.text) };
  if (carousel !== undefined) {
    const cards = (carousel.cards ?? []).map((each) => ({
      header: toHeader(each.header ?? {}),
      body: wordsOf(each.body?.text),
      footer: wordsOf(each.footer?.text),
      action: { buttons: (each.flow?.buttons ?? []).map(toButton) },
    }));
    return { type: 'carousel', ...told, action: { cards } };
  }
  if (shop !== undefined) return { type: 'shop', ...told, action: { id: shop.id } };
  if (collection !== undefined) return { type: 'collection', ...told, action: { id: collection.id } };
  return { ...told, ...toFlow(flow?.buttons ?? []) };
}

export function interactiveFiles({ header = {}, carousel }: InteractiveRead): readonly MediaFile[] {
  const cards = (carousel?.cards ?? []).flatMap((each, index) => headFiles(each.header ?? {}, `cards.${index}.header`));
  return [...headFiles(header, 'header'), ...cards];
}

function fromListResponse({ title = '', reply, description }: Read<typeof listResponse>): Body {
  return { type: 'list_reply', list_reply: { id: reply?.id ?? '', title, description } };
}

/** The names of native flows whose answer is one of a list. */
const LIST_NAMES: ReadonlySet<string> = new Set(['menu_options', 'single_select']);

/** An answer names what was chosen in JSON; an answer of another kind, such as a form, is JSON as a whole. */
function fromResponse({ body, flow: { name, params } = {} }: Read<typeof response>): Body {
  const fields = readJson(params);
  const id = textIn(fields, 'id');
  const title = body?.text ?? textIn(fields, 'display_text', 'title') ?? '';
  if (id !== undefined && name === 'quick_reply') return { type: 'button_reply', button_reply: { id, title } };
  if (id !== undefined && name !== undefined && LIST_NAMES.has(name)) {
    return { type: 'list_reply', list_reply: { id, title, description: textIn(fields, 'description') } };
  }
  return { type: 'nfm_reply', nfm_reply: { name, body: body?.text, response_json: params } };
}
