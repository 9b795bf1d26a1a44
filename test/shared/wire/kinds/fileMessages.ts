import type { Golden } from '../golden.ts';

const KEY = Buffer.alloc(32, 7);
const HASH = Buffer.alloc(32, 1);
const SEALED_HASH = Buffer.alloc(32, 2);
const KEY_AT = Date.UTC(2026, 10, 1) / 1_000;
/** What every file brings to be fetched. */
const stored = {
  url: 'https://mmg.whatsapp.net/v/t62.7118-24/1?ccb=11-4',
  fileSha256: HASH,
  fileLength: 87_213,
  mediaKey: KEY,
  fileEncSha256: SEALED_HASH,
  directPath: '/v/t62.7118-24/1?ccb=11-4',
  mediaKeyTimestamp: KEY_AT,
};
const shown = (mimeType: string) => ({ mime_type: mimeType, sha256: HASH.toString('base64'), bytes: 87_213 });
const kept = (use: string, mimeType?: string) => ({
  files: [
    {
      use,
      part: undefined,
      key: KEY.toString('base64'),
      path: stored.directPath,
      url: undefined,
      sealed_sha256: SEALED_HASH.toString('base64'),
      sha256: HASH.toString('base64'),
      key_at: '2026-11-01T00:00:00.000Z',
      bytes: 87_213,
      mime_type: mimeType,
    },
  ],
});
const told = (type: string, body: object, more: object = {}) => ({
  content: { type, [type]: body },
  flags: [],
  ...more,
});
const jpeg = { ...stored, mimetype: 'image/jpeg' };
const film = { ...stored, mimetype: 'video/mp4', seconds: 12, width: 848, height: 480 };
const sound = { ...stored, mimetype: 'audio/ogg; codecs=opus', seconds: 6 };

/** The kinds that are files, and albums and live places. */
export const fileMessages: readonly Golden[] = [
  [
    'a picture',
    {
      imageMessage: {
        ...jpeg,
        caption: 'this size?',
        width: 1_600,
        height: 1_200,
        contextInfo: { expiration: 86_400 },
      },
    },
    told(
      'image',
      { ...shown('image/jpeg'), width: 1_600, height: 1_200, caption: 'this size?' },
      { ...kept('image', 'image/jpeg'), context: { expiresIn: 86_400 } },
    ),
  ],
  [
    'a picture of a machine, to be opened once',
    { imageMessage: { ...jpeg, viewOnce: true, imageSourceType: 1 } },
    told('image', { ...shown('image/jpeg'), source: 'ai_generated', view_once: true }, kept('image', 'image/jpeg')),
  ],
  [
    'a picture at another host',
    { imageMessage: { url: 'https://media.example/1', mediaKey: KEY, directPath: '/1' } },
    told(
      'image',
      {},
      { files: [{ use: 'image', key: KEY.toString('base64'), path: '/1', url: 'https://media.example/1' }] },
    ),
  ],
  ['a picture without anything', { imageMessage: {} }, told('image', {})],
  [
    'a film',
    { videoMessage: { ...film, caption: 'the noise' } },
    told(
      'video',
      { ...shown('video/mp4'), width: 848, height: 480, duration: 12, caption: 'the noise' },
      kept('video', 'video/mp4'),
    ),
  ],
  [
    'a film that is played like a GIF',
    { videoMessage: { ...film, gifPlayback: true } },
    told(
      'video',
      { ...shown('video/mp4'), width: 848, height: 480, duration: 12, gif: true },
      kept('video', 'video/mp4'),
    ),
  ],
  [
    'a film as a note',
    { ptvMessage: film },
    told('video_note', { ...shown('video/mp4'), width: 848, height: 480, duration: 12 }, kept('video', 'video/mp4')),
  ],
  [
    'a file with sound',
    { audioMessage: sound },
    told('audio', { ...shown(sound.mimetype), duration: 6 }, kept('audio', sound.mimetype)),
  ],
  [
    'a voice message',
    { audioMessage: { ...sound, ptt: true, waveform: Buffer.alloc(64, 50) } },
    told(
      'audio',
      { ...shown(sound.mimetype), duration: 6, voice: true, waveform: Buffer.alloc(64, 50).toString('base64') },
      kept('audio', sound.mimetype),
    ),
  ],
  [
    'a file with its caption, in the wrapper that it comes in',
    {
      documentWithCaptionMessage: {
        message: {
          documentMessage: {
            ...stored,
            mimetype: 'application/pdf',
            fileName: 'a.pdf',
            title: 'a',
            pageCount: 2,
            caption: 'as promised',
          },
        },
      },
    },
    {
      ...told(
        'document',
        { ...shown('application/pdf'), filename: 'a.pdf', title: 'a', pages: 2, caption: 'as promised' },
        kept('document', 'application/pdf'),
      ),
      flags: ['documentWithCaption'],
    },
  ],
  [
    'a sticker that moves',
    {
      lottieStickerMessage: {
        message: {
          stickerMessage: {
            ...stored,
            mimetype: 'image/webp',
            width: 512,
            height: 512,
            isAnimated: true,
            isLottie: true,
          },
        },
      },
    },
    {
      ...told(
        'sticker',
        { ...shown('image/webp'), width: 512, height: 512, animated: true, lottie: true },
        kept('sticker', 'image/webp'),
      ),
      flags: ['lottieSticker'],
    },
  ],
  [
    'a pack of stickers',
    {
      stickerPackMessage: {
        stickerPackId: 'pack',
        name: 'Good morning',
        publisher: 'Ada',
        stickers: [{ fileName: '1.webp', emojis: ['☕', '🌅'], mimetype: 'image/webp', isAnimated: true }],
        fileLength: 9,
        mediaKey: KEY,
        directPath: '/p',
        packDescription: 'for the morning',
        stickerPackOrigin: 2,
      },
    },
    told(
      'sticker_pack',
      {
        id: 'pack',
        name: 'Good morning',
        publisher: 'Ada',
        origin: 'user_created',
        bytes: 9,
        description: 'for the morning',
        stickers: [{ filename: '1.webp', mime_type: 'image/webp', emojis: ['☕', '🌅'], animated: true }],
      },
      { files: [{ use: 'sticker_pack', key: KEY.toString('base64'), path: '/p', bytes: 9 }] },
    ),
  ],
  [
    'the beginning of an album',
    { albumMessage: { expectedImageCount: 3, expectedVideoCount: 1 } },
    told('album', { images: 3, videos: 1 }),
  ],
  [
    'a place that moves on',
    {
      liveLocationMessage: {
        degreesLatitude: -33.5,
        degreesLongitude: 151.25,
        accuracyInMeters: 12,
        speedInMps: 1.5,
        degreesClockwiseFromMagneticNorth: 90,
        caption: 'on my way',
        sequenceNumber: 1_700_000_000_000,
      },
    },
    told('live_location', {
      latitude: -33.5,
      longitude: 151.25,
      accuracy: 12,
      speed: 1.5,
      heading: 90,
      caption: 'on my way',
      sequence: 1_700_000_000_000,
    }),
  ],
];
