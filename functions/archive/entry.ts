import { archiveConfig } from '../../shared/platform/config.ts';
import { composeArchive } from './composition.ts';

export const handler = composeArchive(archiveConfig());
