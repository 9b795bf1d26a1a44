import { prepareFile, type PrepareDependencies } from '../prepare/prepareFile.ts';
import type { SendFileDependencies } from './sendFile.ts';

/** Prepares files as the settings of this process say, for those that are sent. */
export function prepareWith(dependencies: PrepareDependencies): SendFileDependencies['prepare'] {
  return ({ tenantId, objectKey, mimeType, filename }, { as, convert }, signal) =>
    prepareFile(dependencies, { tenantId, objectKey, mimeType, filename, as, convert }, signal);
}
