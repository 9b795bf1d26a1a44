import { createHash } from 'node:crypto';
import type { BodyOf } from '../../content/content.ts';
import type { MediaFile } from '../../content/mediaFile.ts';
import { toBase64 } from '../files.ts';
import { parts as partsOf, readField, shape, text, type Read } from '../shape.ts';
import type { Understood } from '../understoodKind.ts';
import type { Level } from '../unwrap.ts';
import { readPhoto, readVCard } from '../vcard.ts';

const CONTACT = 4;
const CONTACTS = 13;

/** The most contacts that are read out of one message. */
const MOST_CONTACTS = 257;

const contact = shape({ displayName: text(1), vcard: text(16) });
const contactsArray = shape({ contacts: partsOf(2, contact) });

/** The photos that are read out of one message: more than a message has room for. */
const MOST_PHOTOS = 10;

/** The cards in a message, in their order. */
function cardsIn(parts: Level['parts']): readonly Read<typeof contact>[] | 'malformed' {
  const one = readField(contact, parts.get(CONTACT));
  const many = readField(contactsArray, parts.get(CONTACTS));
  if (one === 'malformed' || many === 'malformed') return 'malformed';
  return [one, ...(many.contacts ?? [])].filter((each) => Object.keys(each).length > 0).slice(0, MOST_CONTACTS);
}

/** The photo of a contact as a file, whose small picture is all there is of it. */
function photoFile(photo: Uint8Array, place: number): MediaFile {
  return {
    use: 'image',
    part: `${place}.photo`,
    inside: true,
    mime_type: 'image/jpeg',
    bytes: photo.length,
    sha256: createHash('sha256').update(photo).digest('base64'),
    thumbnail: toBase64(photo),
  };
}

export const contacts = {
  fields: [CONTACT, CONTACTS],
  context: 17,
  fromWire: (parts) => {
    const all = cardsIn(parts);
    if (all === 'malformed') return all;
    return all.length === 0 ? 'nothing' : all.map(({ displayName = '', vcard = '' }) => readVCard(vcard, displayName));
  },
  files: (parts) => {
    const all = cardsIn(parts);
    if (all === 'malformed') return [];
    const photos = all.flatMap(({ vcard = '' }, place) => {
      const photo = readPhoto(vcard);
      return photo === undefined ? [] : [photoFile(photo, place)];
    });
    return photos.slice(0, MOST_PHOTOS);
  },
} as const satisfies Understood<BodyOf<'contacts'>>;
