import type { BodyOf } from '../../content/content.ts';
import { inOneField } from '../oneField.ts';
import { flag, part, parts, shape, text, texts, type Read } from '../shape.ts';
import type { Understood } from '../understoodKind.ts';

type Body = BodyOf<'ai_message'>;

const RICH_RESPONSE = 97;
const code = shape({ language: text(1), blocks: parts(2, shape({ content: text(2) })) });
const table = shape({ rows: parts(1, shape({ items: texts(1), heading: flag(2) })), title: text(2) });
const piece = shape({
  text: text(3),
  code: part(5, code),
  table: part(6, table),
  formula: part(8, shape({ text: text(1) })),
});
const response = shape({ pieces: parts(2, piece), unified: part(3, shape({ data: text(1) })) });

export const aiMessage: Understood<Body> = inOneField({
  field: RICH_RESPONSE,
  shape: response,
  context: 4,
  toBody: toAnswer,
});

function toAnswer({ pieces = [], unified }: Read<typeof response>): Body {
  const words = pieces.flatMap((each) => each.text ?? each.formula?.text ?? []);
  const programs = pieces.flatMap(({ code: program }) => program ?? []);
  const tables = pieces.flatMap(({ table: each }) => each ?? []);
  return {
    text: words.length === 0 ? undefined : words.join('\n'),
    code: programs.map(({ language, blocks = [] }) => ({
      language,
      text: blocks.map(({ content = '' }) => content).join(''),
    })),
    tables: tables.map(({ title, rows }) => ({ title, rows })),
    data: words.length === 0 ? unified?.data : undefined,
  };
}
