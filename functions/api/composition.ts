import { ActionStore } from '../../shared/action/actionStore.ts';
import { OpenActions } from '../../shared/action/openActions.ts';
import { ArchiveJobs } from '../../shared/archive/archiveJobs.ts';
import { ExportFiles } from '../../shared/archive/exportFiles.ts';
import { BulkLineStore } from '../../shared/bulk/bulkLineStore.ts';
import { BulkSendStore } from '../../shared/bulk/bulkSendStore.ts';
import { ChatStore } from '../../shared/chat/chatStore.ts';
import { ContactStore } from '../../shared/contact/contactStore.ts';
import { ReaderSlots } from '../../shared/event/readerSlots.ts';
import { systemClock } from '../../shared/kernel/clock.ts';
import { deadlines } from '../../shared/kernel/deadlines.ts';
import { BroughtFileStore } from '../../shared/media/broughtFileStore.ts';
import { makeFilesToSend } from '../../shared/media/filesToSend.ts';
import { TenantFiles } from '../../shared/media/keptBytes.ts';
import { LiveCopies } from '../../shared/history/liveCopies.ts';
import { NoticeStore } from '../../shared/history/noticeStore.ts';
import { MediaStore } from '../../shared/media/mediaStore.ts';
import { ObjectHolds } from '../../shared/media/objectHolds.ts';
import { S3ObjectAddresses } from '../../shared/media/s3ObjectAddresses.ts';
import { S3ObjectUploads } from '../../shared/media/s3ObjectUploads.ts';
import { S3RequestSigner } from '../../shared/media/s3RequestSigner.ts';
import { makeQueueClient } from '../../shared/platform/aws.ts';
import type { ApiConfig } from '../../shared/platform/config.ts';
import { MessageStore } from '../../shared/message/messageStore.ts';
import { MessagesOfChats } from '../../shared/message/messagesOfChats.ts';
import { PastMessages } from '../../shared/message/pastMessages.ts';
import { ScheduledMessages } from '../../shared/message/scheduledMessages.ts';
import { AddressGuard, systemResolve } from '../../shared/platform/addressGuard.ts';
import { makeEndpointBreakerStore } from '../../shared/webhook/endpointBreakerStore.ts';
import { EndpointStore } from '../../shared/webhook/endpointStore.ts';
import { makeWebhookPoster } from '../../shared/webhook/postWebhook.ts';
import type { PageFiles } from '../pairingPage/pageFiles.ts';
import type { ApiDependencies } from './handler.ts';
import { composeHttp } from '../http/composeHttp.ts';

export interface ApiOptions {
  /** Whether webhooks may lead to 127.0.0.1 and localhost; only the embedded stack sets it. */
  readonly allowLoopback?: boolean;
  /** Where streams of events are served, empty for the address of the API; nowhere when left out. */
  readonly streamUrl?: string | undefined;
  /** The files of the pairing page, which is not served when left out. */
  readonly page?: () => PageFiles;
  /** Where people find the pairing page; the address at which a link is asked for when left out. */
  readonly pageOrigin?: string | undefined;
}

/** The parts of the function that serves tenants. */
export function composeApi(
  config: ApiConfig,
  { allowLoopback = false, streamUrl, ...page }: ApiOptions = {},
): ApiDependencies {
  const http = composeHttp(config, 'api');
  const guard = new AddressGuard({ resolve: systemResolve, allowLoopback });
  const signer = new S3RequestSigner(config, () => http.table.config.credentials(), systemClock);
  const queue = makeQueueClient(config, { breakers: http.breakers });
  const media = new MediaStore(http);
  const uploads = new S3ObjectUploads(signer, config.storeTimeoutMs);
  const files = {
    media,
    brought: new BroughtFileStore({ ...http, clock: systemClock }),
    uploads,
    holds: new ObjectHolds({ ...http, clock: systemClock }),
    tenantFiles: new TenantFiles({ ...http, clock: systemClock }),
  };
  const past = new PastMessages(http);
  const sent = { ...http, ...files, clock: systemClock, queue, queueUrlBase: config.queueUrlBase };
  return {
    ...http,
    actions: new ActionStore(http),
    openActions: new OpenActions(http),
    chats: new ChatStore(http),
    past,
    messages: new MessageStore({ ...http, past }),
    messagesOfChats: new MessagesOfChats({ ...http, past }),
    live: new LiveCopies(http),
    notices: new NoticeStore(http),
    contacts: new ContactStore(http),
    archiveJobs: new ArchiveJobs({ ...http, clock: systemClock }),
    exportFiles: new ExportFiles({ ...http, clock: systemClock }),
    scheduled: new ScheduledMessages(http),
    bulkSends: new BulkSendStore(http),
    bulkLines: new BulkLineStore(http),
    streamUrl,
    ...page,
    readerSlots: new ReaderSlots(http),
    endpoints: new EndpointStore(http),
    ...files,
    files: makeFilesToSend(sent),
    addresses: new S3ObjectAddresses(signer),
    guard,
    poster: makeWebhookPoster({ guard, clock: systemClock, timeoutMs: deadlines.webhookTest.ms }),
    endpointBreakers: makeEndpointBreakerStore(http),
    queue,
    queueUrlBase: config.queueUrlBase,
    shardCap: config.shardCap,
  };
}
