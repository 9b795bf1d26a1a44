import { apiConfig } from '../../shared/platform/config.ts';
import { makeApiHandler } from './handler.ts';
import { composeApi } from './composition.ts';

export const handler = makeApiHandler(composeApi(apiConfig()));
