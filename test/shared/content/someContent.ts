import type { Content, InboundContent, OutboundContent } from '../../../shared/content/content.ts';

/** Something to say or to hear, for tests that do not care how: they tell messages apart by its words. */
export function someContent(words: string): OutboundContent & InboundContent & { readonly type: 'text' } {
  return { type: 'text', text: { body: words } };
}

/** The words by which a content can be told apart; the name of its kind where it has none. */
export function wordsOf(content: Content | OutboundContent): string {
  return content.type === 'text' ? content.text.body : content.type;
}
