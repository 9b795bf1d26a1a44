import type { Content, OutboundContent } from '../../../shared/content/content.ts';

/** Something to say, for tests that do not care how: they tell messages apart by its words (`wordsOf`). */
export function someContent(words: string): OutboundContent & Content {
  return { type: 'text', text: { body: words } };
}

/** The words by which a content can be told apart; the name of its kind where it has none. */
export function wordsOf(content: Content | OutboundContent): string {
  return content.type === 'text' ? content.text.body : content.type;
}
