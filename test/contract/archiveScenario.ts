import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ApiClient } from '../../infra/local/apiClient.ts';
import { until } from '../../infra/local/until.ts';
import type { Ended } from '../ops/opsProcess.ts';

/** What exports and erasures need of the run. */
export interface ArchiveScene {
  readonly api: ApiClient;
  readonly dataDir: string;
  readonly ops: (...words: readonly string[]) => Promise<Ended>;
  /** The connection into which an export is brought back. */
  readonly desk: string;
}

/** Conversations are exported, deleted, exported by a schedule, and brought back; at last a person is erased. */
export async function exportAndErase({ api, dataDir, ops, desk }: ArchiveScene, person: string): Promise<void> {
  const stateOf = async (path: string): Promise<unknown> => (await api.call('GET', path)).json['state'];
  const ended = (path: string) =>
    until(
      `the end of ${path}`,
      () => stateOf(path),
      (state) => state === 'done',
    );
  const ofPerson = await api.must('POST', '/v1/exports', { contact: person, media: true });
  const path = `/v1/exports/${String(ofPerson['id'])}`;
  await ended(path);
  await api.must('DELETE', path);
  await until(
    'the removal of an export',
    () => api.call('GET', path),
    ({ status }) => status === 404,
  );

  const ofDesk = await api.must('POST', '/v1/exports', { connectionId: desk });
  await ended(`/v1/exports/${String(ofDesk['id'])}`);

  await api.must('PUT', '/v1/export-schedule', { every: 'day' });
  const last = async () => (await api.must('GET', '/v1/export-schedule'))['lastExportId'];
  const exportId = String(await until('an export of the schedule', last, (id) => id !== undefined));
  await ended(`/v1/exports/${exportId}`);
  await api.must('DELETE', '/v1/export-schedule');
  const keyFile = join(dataDir, 'tenant-key');
  writeFileSync(keyFile, api.key, { mode: 0o600 });
  const words = ['--export', exportId, '--tenant-key-file', keyFile, '--connection', desk];
  const { code, stderr } = await ops('restore-conversations', ...words);
  if (code !== 0) throw new Error(`an export could not be brought back: ${stderr}`);

  const erasure = await api.must('POST', '/v1/contact-erasures', { contact: person });
  await ended(`/v1/contact-erasures/${String(erasure['id'])}`);
}
