import { apiConfig } from '../../shared/platform/config.ts';
import { makeApiHandler } from '../api.ts';
import { composeApi } from '../apiComposition.ts';

export const handler = makeApiHandler(composeApi(apiConfig()));
