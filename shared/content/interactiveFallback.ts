import type { InteractiveRequest } from './interactiveRequest.ts';

/** The options of an interactive message as a text numbers them: from 1 on, in all sections. */
export interface NumberedOption {
  readonly id: string;
  readonly title: string;
  readonly description?: string | undefined;
}

export function optionsOf(asked: InteractiveRequest): readonly NumberedOption[] {
  if (asked.type === 'button') return asked.action.buttons.map(({ reply }) => reply);
  return asked.type === 'list' ? asked.action.sections.flatMap(({ rows }) => rows) : [];
}

/** The text that an interactive message is sent as: header, body, numbered options or the link, and footer. */
export function toNumberedText(asked: InteractiveRequest): string {
  const [header, footer] = 'header' in asked ? [asked.header, asked.footer] : [];
  const paragraphs = [
    header === undefined ? '' : `*${header.text}*`,
    asked.body.text,
    ...choicesOf(asked),
    footer === undefined ? '' : `_${footer.text}_`,
  ];
  return paragraphs.filter((paragraph) => paragraph !== '').join('\n\n');
}

function choicesOf(asked: InteractiveRequest): readonly string[] {
  if (asked.type === 'location_request_message') return [];
  if (asked.type === 'cta_url') {
    const { display_text: words, url } = asked.action.parameters;
    return [`${words}: ${url}`];
  }
  let number = 0;
  const lineOf = ({ title, description }: NumberedOption): string =>
    `${(number += 1)}. ${title}${description ? ` – ${description}` : ''}`;
  if (asked.type === 'button') return [optionsOf(asked).map(lineOf).join('\n')];
  return asked.action.sections.map(({ title, rows }) =>
    [...(title === undefined ? [] : [`*${title}*`]), ...rows.map(lineOf)].join('\n'),
  );
}

/** The question and the options of the poll that an interactive message is sent as. */
export function toPollParts(asked: InteractiveRequest): { readonly name: string; readonly options: readonly string[] } {
  return { name: asked.body.text, options: optionsOf(asked).map(({ title }) => title) };
}
