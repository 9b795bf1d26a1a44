import { z } from 'zod';
import type { ApiClient } from '../infra/local/apiClient.ts';
import { restoredKinds, type RestoredKind } from '../shared/archive/restoredRow.ts';
import { addRestored, type RestoreCounts } from '../shared/archive/restoreRows.ts';
import type { Surroundings } from '../shared/platform/surroundings.ts';
import type { ExportSource } from './exportSource.ts';
import { columns, counted, Failed } from './sentence.ts';
import { readManifest, readPart, verifyParts } from './verifyExport.ts';

export interface RestoreOptions extends Pick<Surroundings, 'clock'> {
  readonly source: ExportSource;
  /** The client of the API, with a key of an operator. */
  readonly client: Pick<ApiClient, 'call'>;
  /** The connection that all is brought back into; each line's own where it is left out. */
  readonly into: string | undefined;
  readonly say: (line: string) => void;
}

/** The most rows, and bytes, of one request. */
const ROWS = 200;
const BYTES = 1_000_000;
/** How often a request is made that finds the API busy, and the pause before the next, in milliseconds. */
const TRIES = 8;
const PAUSE_MS = 1_000;

const lineSchema = z.object({ kind: z.string(), connectionId: z.string(), kept: z.unknown().optional() });
const NONE: RestoreCounts = { written: {}, there: {}, unfinished: {}, malformed: {} };

/**
 * Brings an export back: all hashes are looked at before the first row is written. What is there stays, so it can be run again at any time, and goes on after
 * it was stopped. Returns what became of the rows. Throws Failed with one sentence.
 */
export async function restoreConversations(options: RestoreOptions): Promise<RestoreCounts> {
  const { source, say } = options;
  const manifest = await readManifest(source);
  say(`export ${manifest.exportId} of ${manifest.createdAt}: ${counted(manifest.parts.length, 'part')}`);
  await verifyParts(source, manifest);
  say('every part is whole');
  let counts = NONE;
  for (const part of manifest.parts) {
    const lines = (await readPart(source, part)).map((line) => lineSchema.parse(JSON.parse(line)));
    const rows = lines.filter(({ kind }) => (restoredKinds as readonly string[]).includes(kind));
    for (const [connectionId, own] of Map.groupBy(rows, (row) => options.into ?? row.connectionId)) {
      const path = `/v1/admin/tenants/${encodeURIComponent(manifest.tenantId)}/connections/${encodeURIComponent(connectionId)}/restored-rows`;
      for (const batch of inBatches(own.map(({ kind, kept }) => JSON.stringify({ kind, kept })))) {
        counts = addRestored(counts, await bringBack(options, path, batch));
      }
    }
  }
  for (const line of tableOf(counts)) say(line);
  return counts;
}

async function bringBack(
  { client, clock }: RestoreOptions,
  path: string,
  batch: readonly string[],
): Promise<RestoreCounts> {
  for (let tries = 1; ; tries += 1) {
    const headers = { 'content-type': 'application/x-ndjson' };
    const { status, json } = await client.call('POST', path, `${batch.join('\n')}\n`, headers);
    if (status === 200) return json as unknown as RestoreCounts;
    const mayPass = (status === 429 || status >= 500) && tries < TRIES;
    if (!mayPass) throw new Failed(`Rows could not be brought back: ${status} ${String(json['detail'])}`);
    await clock.sleep(PAUSE_MS * tries);
  }
}

function* inBatches(rows: readonly string[]): Generator<readonly string[]> {
  let batch: string[] = [];
  let bytes = 0;
  for (const row of rows) {
    const more = Buffer.byteLength(row);
    if (batch.length === ROWS || (batch.length > 0 && bytes + more > BYTES)) {
      yield batch;
      [batch, bytes] = [[], 0];
    }
    batch.push(row);
    bytes += more;
  }
  if (batch.length > 0) yield batch;
}

/** What became of the rows, by what they are. */
export function tableOf(counts: RestoreCounts): readonly string[] {
  const outcomes = ['written', 'there', 'unfinished', 'malformed'] as const;
  const cell = (kind: RestoredKind) => outcomes.map((outcome) => counts[outcome][kind] ?? 0);
  return columns(
    ['rows', 'brought back', 'there already', 'never sent, left', 'not readable, left'],
    restoredKinds.map((kind) => [kind, ...cell(kind)]),
  );
}
