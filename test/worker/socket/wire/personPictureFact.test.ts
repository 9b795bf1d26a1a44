import { describe, expect, it } from 'vitest';
import { toPersonPictureFact } from '../../../../worker/socket/wire/personPictureFact.ts';
import { node, type BinaryNode } from '../../../whatsapp/node.ts';

const notice = (attrs: Readonly<Record<string, string>>, content: BinaryNode) =>
  node('notification', { type: 'picture', t: '1790000000', ...attrs }, [content]);

describe('a notice that a person has another picture', () => {
  it('names the picture, or says that there is none', () => {
    const set = toPersonPictureFact(notice({ from: '222@lid', id: '7' }, node('set', { id: '17' })));
    const taken = toPersonPictureFact(notice({ from: '222:4@lid', id: '8' }, node('delete')));

    expect(set).toMatchObject({ contact: '222@lid', pictureId: '17', atMs: 1_790_000_000_000 });
    expect(taken).toMatchObject({ contact: '222@lid', hasNoPicture: true });
    expect(set?.key).not.toBe(taken?.key);
  });

  it.each<readonly [string, Readonly<Record<string, string>>, BinaryNode]>([
    ['a group', { from: '120363000000000001@g.us', id: '7' }, node('set', { id: '17' })],
    ['nobody', { from: '', id: '7' }, node('set', { id: '17' })],
    ['a notice without an id', { from: '222@lid' }, node('set', { id: '17' })],
    ['a picture without a number', { from: '222@lid', id: '7' }, node('set')],
    ['something else', { from: '222@lid', id: '7' }, node('request')],
  ])('tells nothing of %s', (_what, attrs, content) => {
    expect(toPersonPictureFact(notice(attrs, content))).toBeUndefined();
  });
});
