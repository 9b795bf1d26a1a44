import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiClient } from '../../../infra/local/apiClient.ts';
import { makeGateway } from '../../../infra/local/gateway.ts';
import { makeHttpHandler } from '../../../functions/http/http.ts';
import { restoreRoutes } from '../../../functions/routes/restoredRows.ts';
import { exportInFolder } from '../../../ops/exportSource.ts';
import { restoreConversations } from '../../../ops/restoreConversations.ts';
import { MANIFEST } from '../../../shared/archive/exportFiles.ts';
import { AuditTrail } from '../../../shared/audit/auditTrail.ts';
import { ConnectionStore } from '../../../shared/connection/connectionStore.ts';
import { systemClock } from '../../../shared/kernel/clock.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { silentLogger } from '../../../shared/platform/logger.ts';
import { messagePartition } from '../../../shared/platform/keys.ts';
import { aConversation, aReceived, ArchiveWorld, toRow } from './archiveWorld.ts';
import { keyOfNewTenant } from '../../shared/identity/keyOfNewTenant.ts';

const MESSAGES = 50_000;
const CHATS = 500;

type Row = Readonly<Record<string, unknown>>;

describe('an export of 50,000 messages in 500 chats', { timeout: 1_200_000 }, () => {
  let world: ArchiveWorld;
  let folder: string;
  beforeAll(async () => {
    world = await ArchiveWorld.start();
    folder = mkdtempSync(join(tmpdir(), 'holdfast-export-'));
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await world.stop();
  });

  /** The API of operators, as far as it brings rows back, behind a socket. */
  async function startApi() {
    const { table } = world.stack;
    const dependencies = {
      table,
      stage: 'test',
      clock: systemClock,
      random: systemRandom,
      logger: silentLogger,
      connections: new ConnectionStore({ table, stage: 'test' }),
      // An operator has no quotas.
      quotaBook: { find: () => Promise.reject(new Error('nobody is counted here')) },
      limiter: { take: () => Promise.reject(new Error('nobody is counted here')), giveBack: () => Promise.resolve() },
      audit: new AuditTrail({ table, stage: 'test' }),
      authenticate: async () => ({ role: 'operator', keyId: 'key_1', operatorRole: 'admin' }) as never,
    };
    const handler = makeHttpHandler(restoreRoutes(dependencies), dependencies);
    const server = makeGateway(() => handler as never, { onSurprise: () => undefined });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    return { server, client: new ApiClient(`http://127.0.0.1:${port}`, 'hf_operator_1') };
  }

  it('is brought back identical, into an empty connection', async () => {
    const tenantId = world.newTenant();
    // Rows are brought back to a tenant that is there, and not to one that is being deleted.
    await keyOfNewTenant({ ...world.stack, stage: 'test', clock: systemClock, random: systemRandom }, tenantId);
    const [from, into] = [await world.aConnection(tenantId), await world.aConnection(tenantId)];
    const beginMs = Date.now() - 86_400_000;
    await world.put(aConversation(from));
    for (let made = 0; made < MESSAGES; made += 5_000) {
      const rows = Array.from({ length: 5_000 }, (_, at) => {
        const chat = `49151${String((made + at) % CHATS).padStart(8, '0')}@s.whatsapp.net`;
        return toRow(
          aReceived(from, `message ${made + at} ${'x'.repeat((made + at) % 300)}`, {
            chat,
            createdAtMs: beginMs + made + at,
          }),
        );
      });
      await world.put(rows);
    }
    const asked = await world.ask(tenantId, { connectionId: from.connectionId });
    const rssBefore = process.memoryUsage().rss;
    let rssMost = rssBefore;
    const watch = setInterval(() => (rssMost = Math.max(rssMost, process.memoryUsage().rss)), 50);
    const startedMs = performance.now();

    let runs = 0;
    for (; (await world.jobs.find(tenantId, asked.jobId))?.kind === 'export'; runs += 1) {
      const job = await world.jobs.find(tenantId, asked.jobId);
      if (job?.kind === 'export' && job.isTold === true) break;
      await world.run();
    }
    const exportedMs = performance.now() - startedMs;
    clearInterval(watch);
    const { manifest } = await world.read(asked);
    for (const [key, { bytes }] of world.objects.kept) {
      if (key.includes(asked.jobId)) writeFileSync(join(folder, key.split('/').at(-1) ?? ''), bytes);
    }
    const { server, client } = await startApi();
    const restoreStartMs = performance.now();
    const lines: string[] = [];
    const options = { client, clock: systemClock, into: into.connectionId, say: (line: string) => lines.push(line) };
    const source = exportInFolder(join(folder, MANIFEST));
    const counts = await restoreConversations({ ...options, source });
    const restoredMs = performance.now() - restoreStartMs;
    const again = await restoreConversations({ ...options, source });
    server.close();
    server.closeAllConnections();

    const plain = (rows: readonly Row[]): readonly string[] =>
      rows.map(({ ttl: _ttl, pk: _pk, connectionId: _connection, ...row }) => JSON.stringify(sorted(row)));
    const [before, after] = [
      plain(await world.rowsOf(messagePartition(from.connectionId))),
      plain(await world.rowsOf(messagePartition(into.connectionId))),
    ];
    expect(counts.written).toEqual({ message: MESSAGES + 5, version: 2, receipts: 1, chat: 3, contact: 2, number: 1 });
    expect([again.written, counts.there, counts.malformed]).toEqual([{}, {}, {}]);
    expect(after.length).toBe(MESSAGES + 8);
    expect(after).toEqual(before);
    const bytes = manifest.parts.reduce((sum, part) => sum + part.bytes, 0);
    process.stdout.write(
      `exported in ${(exportedMs / 1_000).toFixed(1)} s and ${runs} runs, ${manifest.parts.length} parts, ${bytes} bytes; RSS grew by ${Math.round((rssMost - rssBefore) / 1e6)} MB; brought back in ${(restoredMs / 1_000).toFixed(1)} s\n`,
    );
  });

  it('is refused whole where one byte of a part is another one', async () => {
    const tenantId = world.newTenant();
    const from = await world.aConnection(tenantId);
    await world.put(aConversation(from));
    const asked = await world.ask(tenantId);
    await world.run();
    const { manifest } = await world.read(asked);
    const [part] = manifest.parts;
    const files = new Map(
      [...world.objects.kept].map(([key, { bytes }]) => [key.split('/').at(-1) ?? '', Buffer.from(bytes)]),
    );
    const wrong = files.get(part?.name ?? '') ?? Buffer.alloc(0);
    wrong[wrong.length - 1] = (wrong[wrong.length - 1] ?? 0) ^ 1;
    const source = {
      manifestSha256: undefined,
      read: async (name: string) =>
        name === MANIFEST ? Buffer.from(JSON.stringify(manifest)) : (files.get(name) ?? Buffer.alloc(0)),
    };
    const client = { call: () => Promise.reject(new Error('nothing may be written')) };

    const outcome = restoreConversations({ source, client, clock: systemClock, into: undefined, say: () => undefined });

    await expect(outcome).rejects.toThrow('is not the part that the manifest names');
  });
});

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, each]) => [name, sorted(each)]),
  );
}
