import { describe, expect, it } from 'vitest';
import type { OutboundContent } from '../../../shared/content/content.ts';
import { AppError } from '../../../shared/kernel/appError.ts';
import type { MediaId, TenantId } from '../../../shared/kernel/id.ts';
import type { FileToSend } from '../../../shared/media/fileToSend.ts';
import { mediaFaults } from '../../../shared/media/mediaFaults.ts';
import { settleFile } from '../../../shared/message/settleFile.ts';

const TENANT = 'tnt_1' as TenantId;
const ID = 'med_01K3C5F7XQ8M2V4N6B9D0E1G3H';
const LINK = 'https://example.com/size.jpg';

/** The files of a tenant, of which each question is noted. */
function filesWith(file: Partial<FileToSend> | undefined) {
  const asked: string[] = [];
  const found = { mediaId: ID as MediaId, tenantId: TENANT, objectKey: 'x', state: 'ready', ...file } as FileToSend;
  const files = {
    find: async (tenantId: TenantId, mediaId: MediaId) => {
      asked.push(`find ${tenantId} ${mediaId}`);
      return file === undefined ? undefined : found;
    },
    bring: async (tenantId: TenantId, link: string) => {
      asked.push(`bring ${tenantId} ${link}`);
      return found;
    },
  };
  return { asked, lookUp: { tenantId: TENANT, files } };
}

const aPicture = (named: object): OutboundContent => ({ type: 'image', image: named }) as unknown as OutboundContent;

describe('the file of a message that is asked for', () => {
  it('costs nothing where there is none', async () => {
    const { asked, lookUp } = filesWith({});
    const text: OutboundContent = { type: 'text', text: { body: 'hello' } };

    expect(await settleFile(text, lookUp)).toBe(text);
    expect(await settleFile(text, undefined)).toBe(text);
    expect(asked).toEqual([]);
  });

  it('is looked for among those of the tenant, and named by its id with all that stands beside it', async () => {
    const { asked, lookUp } = filesWith({});

    const settled = await settleFile(aPicture({ id: ID, caption: 'This size?', convert: false }), lookUp);

    expect(settled).toEqual(aPicture({ id: ID, caption: 'This size?', convert: false }));
    expect(asked).toEqual([`find ${TENANT} ${ID}`]);
  });

  it('is fetched from its link from then on, and the row names it by its id alone', async () => {
    const { asked, lookUp } = filesWith({ state: 'pending' });

    expect(await settleFile(aPicture({ link: LINK, view_once: true }), lookUp)).toEqual(
      aPicture({ id: ID, view_once: true }),
    );
    expect(asked).toEqual([`bring ${TENANT} ${LINK}`]);
  });

  it.each<[state: FileToSend['state'], code: string]>([
    ['awaited', 'media_awaited'],
    ['left', 'media_left'],
    ['failed', 'media_failed'],
  ])('refuses the message where it is %s: %s, at the field that names it', async (state, code) => {
    const byId = await settleFile(aPicture({ id: ID }), filesWith({ state }).lookUp);
    const byLink = await settleFile(aPicture({ link: LINK }), filesWith({ state }).lookUp);

    for (const [refusal, field] of [
      [byId, 'image.id'],
      [byLink, 'image.link'],
    ] as const) {
      expect(refusal).toBeInstanceOf(AppError);
      expect(refusal).toMatchObject({ code, fields: [{ field }] });
    }
  });

  it('says why it could not be fetched', async () => {
    const { lookUp } = filesWith({ state: 'failed', fault: 'link_refused' });

    expect(await settleFile(aPicture({ link: LINK }), lookUp)).toMatchObject({
      code: 'media_failed',
      detail: mediaFaults.link_refused.sentence,
    });
  });

  it.each([
    ['of another tenant, or gone', ID, 1],
    ['no id at all, and nobody is asked', '../secret', 0],
    ['that of something else, and nobody is asked', 'msg_01K3C5F7XQ8M2V4N6B9D0E1G3H', 0],
  ])('is not found where its id is %s', async (_what, id, questions) => {
    const { asked, lookUp } = filesWith(undefined);

    expect(await settleFile(aPicture({ id }), lookUp)).toMatchObject({ code: 'media_not_found' });
    expect(asked).toHaveLength(questions);
  });

  it('passes on that a store does not answer', async () => {
    const find = () => Promise.reject(new Error('the store is away'));
    const { lookUp } = filesWith({});

    const settling = settleFile(aPicture({ id: ID }), { ...lookUp, files: { ...lookUp.files, find } });

    await expect(settling).rejects.toThrow('the store is away');
  });
});
