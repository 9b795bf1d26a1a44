import { part, shape, text, type Read } from './shape.ts';

/** A message within another one, as far as words go: those of a text, or those beside a picture, film or file. */
export const innerMessage = shape({
  conversation: text(1),
  image: part(3, shape({ caption: text(3) })),
  extended: part(6, shape({ text: text(1) })),
  document: part(7, shape({ caption: text(20) })),
  video: part(9, shape({ caption: text(7) })),
});

/** The words of such a message; undefined where it has none. */
export function innerText(read: Read<typeof innerMessage> | undefined): string | undefined {
  const { conversation, extended, image, video, document } = read ?? {};
  return conversation ?? extended?.text ?? image?.caption ?? video?.caption ?? document?.caption;
}
