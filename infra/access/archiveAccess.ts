import type { ProcessAccess } from './processAccess.ts';
import { archive, core } from './tableRows.ts';

/**
 * The archive function reads all that is kept of conversations, and removes what there is of a person, or of a tenant that is deleted. It sees no
 * session, and no key of the API: it removes keys by their hashes.
 */
export const archiveAccess: ProcessAccess = {
  tables: [
    archive('DeleteItem', 'GetItem', 'PutItem', 'Query'),
    // The connections of a tenant; and of one that is deleted all that it has, until its row says that it was deleted.
    core('TENANT', 'DeleteItem', 'GetItem', 'Query', 'UpdateItem'),
    core('TENANTS', 'UpdateItem'),
    { table: 'core', keys: ['TENANT_WORK'], actions: ['GetItem'] },
    { table: 'core', keys: ['ERASURES'], actions: ['PutItem'] },
    core('KEY', 'DeleteItem'),
    core('ENDPOINT', 'DeleteItem', 'Query'),
    core('EVENTS', 'DeleteItem', 'GetItem', 'Query'),
    core('FILES', 'DeleteItem', 'Query'),
    core('KEPT', 'DeleteItem', 'Query'),
    core('RATE', 'DeleteItem', 'Query'),
    core('READERS', 'DeleteItem', 'Query'),
    core('UNPAIRED', 'DeleteItem', 'Query'),
    core('CON', 'BatchGetItem', 'DeleteItem', 'Query'),
    core('CHATS', 'DeleteItem', 'Query'),
    core('CONTACTS', 'DeleteItem', 'GetItem', 'Query'),
    // Messages of histories are taken from the rows in which they are packed with others.
    core('HISTORY', 'DeleteItem', 'GetItem', 'PutItem', 'Query', 'UpdateItem'),
    core('MEDIA', 'BatchGetItem'),
  ],
  queues: [
    // The end of an export, or of an erasure, is a fact.
    { queue: 'events', actions: ['SendMessage'] },
    // The media function erases the files of erased messages.
    { queue: 'media', actions: ['SendMessage'] },
  ],
  // Files of messages are copied into exports: S3 wants the right to read of whoever copies.
  objects: ['AbortMultipartUpload', 'DeleteObject', 'GetObject', 'ListBucket', 'PutObject'],
  writtenObjects: '*/exports/*',
  dataKeys: false,
};
