import { apiConfig } from '../../shared/platform/config.ts';
import { makeApiHandler } from './handler.ts';
import { composeApi } from './composition.ts';

const config = apiConfig();

export const handler = makeApiHandler(composeApi(config, { streamUrl: config.streamUrl }));
