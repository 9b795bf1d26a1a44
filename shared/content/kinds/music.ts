import { holds, said, wholeText, word } from '../bodyField.ts';
import { bodyShape, type BodyOfShape } from '../bodyShape.ts';
import type { ContentKind } from '../contentKind.ts';

const fields = {
  title: word(),
  artist: word(),
  song_id: word(),
  url: said(wholeText(), 'Where the song is.'),
  artwork_url: wholeText(),
  explicit: holds(),
} as const;

export const music = {
  description: 'A song.',
  example: { title: 'Nuvole bianche', artist: 'Ludovico Einaudi', url: 'https://music.example/nuvole-bianche' },
  ...bodyShape(fields),
} as const satisfies ContentKind<BodyOfShape<typeof fields>>;
