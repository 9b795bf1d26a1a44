import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { withDeadline } from '../shared/kernel/deadline.ts';
import { Failed } from './sentence.ts';

/** Where the files of an export are. */
export interface ExportSource {
  /** Reads a file of the export. Throws Failed where there is none. */
  readonly read: (name: string) => Promise<Buffer>;
  /** The hash that its manifest must have, in hex, where somebody says so. */
  readonly manifestSha256: string | undefined;
}

const FETCH_MS = 60_000;

/** The files of an export in a folder, by the path of its manifest. */
export function exportInFolder(manifestFile: string): ExportSource {
  const folder = dirname(manifestFile);
  return {
    manifestSha256: undefined,
    read: async (name) => {
      try {
        return await readFile(join(folder, name));
      } catch (cause) {
        throw new Failed(`There is no file ${name} in ${folder}: fetch all parts of the export into one folder.`, {
          cause,
        });
      }
    },
  };
}

/** The files of an export that the API gives out. @param key a key of its tenant */
export async function exportOfApi(url: string, key: string, exportId: string): Promise<ExportSource> {
  const path = `${url}/v1/exports/${encodeURIComponent(exportId)}`;
  const headers = { authorization: `Bearer ${key}` };
  const answer = await get(path, { headers });
  const told = (await answer.json()) as { readonly manifest?: { readonly sha256?: string }; readonly detail?: string };
  if (!answer.ok) throw new Failed(`The API does not show the export: ${told.detail ?? answer.status}`);
  if (told.manifest?.sha256 === undefined)
    throw new Failed('The export is not done: there is nothing to bring back yet.');
  return {
    manifestSha256: told.manifest.sha256,
    read: async (name) => {
      const lead = await get(`${path}/files/${encodeURIComponent(name)}`, { headers, redirect: 'manual' });
      const location = lead.headers.get('location');
      if (lead.status !== 302 || location === null)
        throw new Failed(`The API does not give out ${name}: ${lead.status}.`);
      // The address needs no key, and must not get it.
      const file = await get(location, {});
      if (!file.ok) throw new Failed(`${name} could not be fetched: ${file.status}.`);
      return Buffer.from(await file.arrayBuffer());
    },
  };
}

function get(url: string, how: RequestInit): Promise<Response> {
  return withDeadline('a request for an export', FETCH_MS, (signal) => fetch(url, { ...how, signal }));
}
