import { mediaConfig } from '../../shared/platform/config.ts';
import { composeMedia } from './composition.ts';

export const handler = composeMedia(mediaConfig());
