import { fileURLToPath } from 'node:url';
import { apiConfig } from '../../shared/platform/config.ts';
import { readPageFiles, type PageFiles } from '../pairingPage/pageFiles.ts';
import { makeApiHandler } from './handler.ts';
import { composeApi } from './composition.ts';

const config = apiConfig();
/** The bundler puts the page beside the function (`scripts/bundleFunctions.ts`). It is read when somebody opens it first. */
let files: PageFiles | undefined;
const page = (): PageFiles => (files ??= readPageFiles(fileURLToPath(new URL('page/', import.meta.url))));

export const handler = makeApiHandler(
  composeApi(config, { streamUrl: config.streamUrl, page, pageOrigin: config.pageOrigin }),
);
