import type { BodyOf } from '../../content/content.ts';
import { inOneField } from '../oneField.ts';
import { flag, part, shape, text } from '../shape.ts';
import type { Understood } from '../understoodKind.ts';

const MUSIC = 129;
const song = shape({ id: text(2), author: text(3), title: text(4), explicit: flag(10) });

export const music: Understood<BodyOf<'music'>> = inOneField({
  field: MUSIC,
  shape: shape({ song: part(1, song), url: text(2), artwork: text(3) }),
  context: 5,
  toBody: ({ song: { id, author, title, explicit } = {}, url, artwork }) => ({
    title,
    artist: author,
    song_id: id,
    url,
    artwork_url: artwork,
    explicit,
  }),
});
