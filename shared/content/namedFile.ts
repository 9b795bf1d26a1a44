import { z } from 'zod';
import { said, wholeText, word, type BodyField } from './bodyField.ts';

/** The length of the longest caption, in characters: that of WhatsApp's Cloud API. */
export const CAPTION_CHARACTERS = 1_024;
const ID_CHARACTERS = 64;
const LINK_CHARACTERS = 2_048;
const FILENAME_CHARACTERS = 240;

const never: BodyField<false> = { schema: z.literal(false), bound: (value) => (value === false ? false : undefined) };

/** The parts of a message by which a tenant names the file that it sends. Nothing that arrives has them. */
export const namedFileFields = {
  id: said(word(ID_CHARACTERS), 'Of what you sent: the file, as `GET /v1/media/{id}` knows it.'),
  link: said(wholeText(LINK_CHARACTERS), 'In a request: where the file is fetched from, in place of `id`.'),
  convert: said(never, 'Of what you sent: it goes as it is, whether phones play it or not.'),
} as const;

/** The file that a request names, as it is kept: by its id alone once it is settled. */
export interface NamedFile {
  readonly id?: string | undefined;
  readonly link?: string | undefined;
  readonly convert?: false | undefined;
}

/** The other parts of what a tenant asks for, each where its kind has it. */
export interface AskedBeside {
  readonly caption?: string;
  readonly filename?: string;
  readonly view_once?: true;
  readonly voice?: true;
  readonly gif?: true;
}

/** A link to the machine itself, which only the embedded stack follows: on AWS it fails as one that is not allowed. */
const OWN_MACHINE = /^http:\/\/(?:127\.0\.0\.1|localhost)(?::\d+)?\//;

/** The names by which a request names a file: one of the two. */
export const askedName = {
  id: z.string().min(1).max(ID_CHARACTERS).optional().meta({
    description: 'A file that you uploaded, or that came with a message: `med_…`.',
    example: 'med_01K3C5F7XQ4T6V8X0Z2B4D6F8H',
  }),
  link: z
    .url({ protocol: /^https?$/ })
    .max(LINK_CHARACTERS)
    .refine((link) => OWN_MACHINE.test(link) || link.startsWith('https:'), { error: 'must begin with https://' })
    .optional()
    .meta({ description: 'In place of `id`: an address on the internet that the file is fetched from, once.' }),
} as const;

const asked = {
  ...askedName,
  convert: z.boolean().optional().meta({
    description: '`false` sends the file as it is. Otherwise it is made what phones show and play, where it is not.',
  }),
} as const;

/** Fields that a request may have beside the file. */
export const askedBeside = {
  caption: z.string().max(CAPTION_CHARACTERS).optional(),
  filename: z.string().min(1).max(FILENAME_CHARACTERS).optional().meta({
    description: 'The name under which its readers see it. That of the upload, or of the link, when left out.',
  }),
  view_once: z.boolean().optional().meta({ description: 'Whether it may be opened once.' }),
  voice: z.boolean().optional().meta({ description: 'Whether it shows as spoken in the chat: a voice message.' }),
  gif: z.boolean().optional().meta({ description: 'Whether it is played like a GIF.' }),
} as const;

/**
 * What a tenant asks for of a kind that is a file: the file by exactly one of `id` and `link`, and some fields beside it.
 * What is asked for as it is anyway, such as `voice: false`, is left out of what is kept.
 */
export function askedFile<const Name extends keyof AskedBeside = never>(
  ...names: readonly Name[]
): z.ZodType<NamedFile & Pick<AskedBeside, Name>> {
  const beside = Object.fromEntries(names.map((name) => [name, askedBeside[name]]));
  return z
    .strictObject({ ...asked, ...beside })
    .refine(({ id, link }) => (id === undefined) !== (link === undefined), {
      error: 'must have either id or link',
      path: ['id'],
    })
    .transform(
      (body) =>
        Object.fromEntries(
          Object.entries(body).filter(([name, value]) => value !== undefined && value !== (name === 'convert')),
        ) as NamedFile & Pick<AskedBeside, Name>,
    );
}
