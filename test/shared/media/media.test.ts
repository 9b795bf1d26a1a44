import { describe, expect, it } from 'vitest';
import type { MediaFile } from '../../../shared/content/mediaFile.ts';
import type { MessageId } from '../../../shared/kernel/id.ts';
import { filesOf, toShownMedia } from '../../../shared/media/media.ts';

const MESSAGE = 'msg_01K3C5F7XQ8M2V4N6B9D0E1G3H' as MessageId;
const FILE: MediaFile = { use: 'document', key: 'AAAA', path: '/v/1', sha256: 'BBBB' };

function shown(file: MediaFile, document: Readonly<Record<string, unknown>> = {}) {
  const content = { type: 'document', document } as never;
  return filesOf({ messageId: MESSAGE, content, files: [file] }).map(toShownMedia);
}

describe('a file, as its message tells of it', () => {
  it.each<[why: string, file: MediaFile, state: string, code?: string]>([
    ['it can be fetched and opened', FILE, 'pending'],
    ['a link leads to it', { ...FILE, path: undefined, url: 'https://mmg.whatsapp.net/1' }, 'pending'],
    ['the settings say that it is left', { ...FILE, left: true }, 'left'],
    ['it came in a channel, where nothing is sealed', { ...FILE, key: undefined, plain: true }, 'pending'],
    ['there is no key', { ...FILE, key: undefined }, 'failed', 'key_unusable'],
    [
      'there is no key, and the settings say that it is left',
      { ...FILE, key: undefined, left: true },
      'failed',
      'key_unusable',
    ],
    ['nothing says where it lies', { ...FILE, path: undefined }, 'failed', 'no_place'],
  ])('where %s', (_why, file, state, code) => {
    const [one] = shown(file);

    expect([one?.state, one?.error?.code]).toEqual([state, code]);
  });

  it.each([
    ['Rechnung 7.pdf', 'Rechnung 7.pdf'],
    ['photo‮gpj.exe', 'photo_gpj.exe'],
    ['../../etc/passwd', '_.._etc_passwd'],
    ['‮', '_'],
    ['...', undefined],
  ])('named %j is shown as %j, as it would be saved', (filename, expected) => {
    expect(shown(FILE, { filename })[0]?.filename).toBe(expected);
  });
});
