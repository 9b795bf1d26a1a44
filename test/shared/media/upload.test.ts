import { describe, expect, it } from 'vitest';
import type { TenantId, MediaId } from '../../../shared/kernel/id.ts';
import type { PreparedFile } from '../../../shared/media/preparedFile.ts';
import {
  claimOf,
  failureStands,
  FAILURE_STANDS_MS,
  uploadNameOf,
  type UploadState,
} from '../../../shared/media/upload.ts';
import { isFresh, SENT_AGAIN_MS, type UploadedFile } from '../../../shared/media/uploadedFile.ts';

const NOW = 1_790_000_000_000;
const key = { key: 'a key', keyAtMs: 5 };
const prepared = {
  objectKey: 'ten/1',
  mimeType: 'image/jpeg',
  bytes: 1,
  sha256: 'x',
  isConverted: false,
} as PreparedFile;
const file = (uploadedAtMs: number) => ({ ...key, prepared, uploadedAtMs }) as UploadedFile;
const anew = { claim: 'take', key: undefined, prepared: undefined };
const goesOn = { claim: 'take', key, prepared };

describe('what a job does about an upload', () => {
  it.each<[what: string, state: UploadState | undefined, round: number, claim: object]>([
    ['nobody has begun it', undefined, 0, anew],
    ['it is at WhatsApp', { state: 'uploaded', file: file(NOW - 1_000) }, 0, { claim: 'nothing' }],
    ['it has been there for too long', { state: 'uploaded', file: file(NOW - SENT_AGAIN_MS) }, 0, anew],
    ['it has failed just now', { state: 'failed', fault: 'broken', endedAtMs: NOW - 1_000 }, 0, { claim: 'nothing' }],
    ['it failed a while ago', { state: 'failed', fault: 'broken', endedAtMs: NOW - FAILURE_STANDS_MS }, 0, anew],
    ['another job is at it', { state: 'leased', leaseId: 'b', leaseUntilMs: NOW + 1, ...key }, 0, { claim: 'again' }],
    ['another job died', { state: 'leased', leaseId: 'b', leaseUntilMs: NOW, ...key, prepared }, 0, goesOn],
    ['this job died', { state: 'leased', leaseId: 'a', leaseUntilMs: NOW + 9, ...key, prepared }, 0, goesOn],
    ['it needs a token, and this is that one', { state: 'needs_token', ...key, prepared }, 1, goesOn],
    [
      'it needs a token, and this is the one before',
      { state: 'needs_token', ...key, prepared },
      0,
      { claim: 'nothing' },
    ],
  ])('where %s', (_what, state, round, claim) => {
    const row =
      state === undefined ? undefined : { ...state, version: 3, round: state.state === 'needs_token' ? 1 : 0 };

    expect(claimOf(row, { jobId: 'a', round }, NOW)).toEqual(claim);
  });

  it('is named after its bytes, and after its id where nobody has read them', () => {
    const one = { tenantId: 'ten_1' as TenantId, mediaId: 'med_1' as MediaId };

    expect(uploadNameOf({ ...one, sha256: 'abc' }, { as: 'image', convert: true })).toMatchObject({ file: 'abc' });
    expect(uploadNameOf({ ...one, sha256: undefined }, { as: 'image', convert: true })).toMatchObject({
      file: 'med_1',
    });
  });

  it('is sent again for three days, so that readers have two weeks', () => {
    expect([isFresh(file(NOW), NOW + SENT_AGAIN_MS - 1), isFresh(file(NOW), NOW + SENT_AGAIN_MS)]).toEqual([
      true,
      false,
    ]);
  });

  it('fails the messages that no job tries it for again, and no later one', () => {
    const endedAtMs = NOW;

    expect(failureStands({ endedAtMs }, NOW - 5)).toBe(true);
    expect(failureStands({ endedAtMs }, NOW + FAILURE_STANDS_MS - 1)).toBe(true);
    expect(failureStands({ endedAtMs }, NOW + FAILURE_STANDS_MS)).toBe(false);
  });
});
