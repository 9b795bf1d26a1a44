import { z } from 'zod';
import type { Route } from './route.ts';

/** The names of requests for which the rule has none that a person would choose. */
const NAMED: Readonly<Record<string, string>> = {
  'POST /v1/connections/{connectionId}/pairing': 'startPairing',
  'POST /v1/connections/{connectionId}/pairing/passkey': 'answerPasskey',
  'POST /v1/connections/{connectionId}/pairing-links': 'createPairingLink',
  'GET /v1/pairing-session': 'getPairingSession',
  'POST /v1/pairing-session': 'startPairingSession',
  'POST /v1/pairing-session/passkey': 'answerPasskeyOfSession',
  'POST /v1/connections/{connectionId}/messages': 'sendMessage',
  'DELETE /v1/connections/{connectionId}/messages/{messageId}': 'cancelMessage',
  'PATCH /v1/connections/{connectionId}/messages/{messageId}': 'moveScheduledMessage',
  'DELETE /v1/connections/{connectionId}/bulk-sends/{bulkSendId}': 'cancelBulkSend',
  'POST /v1/connections/{connectionId}/chats/{chat}/typing': 'showTyping',
  'POST /v1/connections/{connectionId}/chats/{chat}/picture': 'lookUpChatPicture',
  'POST /v1/connections/{connectionId}/presence': 'showPresence',
  'POST /v1/connections/{connectionId}/messages/{messageId}/delete-for-me': 'deleteMessageForMe',
  'POST /v1/connections/{connectionId}/profile/picture': 'setProfilePicture',
  'POST /v1/connections/{connectionId}/profile/about': 'setProfileAbout',
  'POST /v1/connections/{connectionId}/profile/disappearing': 'setProfileDisappearing',
  'POST /v1/connections/{connectionId}/profile/privacy': 'setProfilePrivacy',
  'POST /v1/connections/{connectionId}/groups/{group}/picture': 'setGroupPicture',
  'POST /v1/connections/{connectionId}/groups/{group}/subject': 'setGroupSubject',
  'POST /v1/connections/{connectionId}/groups/{group}/description': 'setGroupDescription',
  'POST /v1/connections/{connectionId}/groups/{group}/settings': 'setGroupSettings',
  'GET /v1/connections/{connectionId}/labels/{label}': 'getLabel',
  'POST /v1/media': 'createMediaUpload',
  'POST /v1/media/{mediaId}/complete': 'completeMediaUpload',
  'POST /v1/webhooks/{webhookId}/secret': 'rotateWebhookSecret',
  'GET /v1/events/stream': 'streamEvents',
  'PUT /v1/admin/whatsapp-version': 'setWhatsappVersion',
  'GET /v1/connections/{connectionId}/history': 'listConnectionHistory',
  'POST /v1/connections/{connectionId}/messages/{messageId}/read': 'markMessageRead',
  'POST /v1/connections/{connectionId}/messages/{messageId}/played': 'markMessagePlayed',
  'POST /v1/connections/{connectionId}/chats/{chat}/read': 'markChatRead',
  'POST /v1/connections/{connectionId}/chats/{chat}/unread': 'markChatUnread',
  'PUT /v1/connections/{connectionId}/contacts/{contact}': 'saveContact',
  'PUT /v1/connections/{connectionId}/labels/{label}/chats/{chat}': 'addLabelToChat',
  'DELETE /v1/connections/{connectionId}/labels/{label}/chats/{chat}': 'removeLabelFromChat',
  'PUT /v1/connections/{connectionId}/labels/{label}/messages/{messageId}': 'addLabelToMessage',
  'DELETE /v1/connections/{connectionId}/labels/{label}/messages/{messageId}': 'removeLabelFromMessage',
  'POST /v1/connections/{connectionId}/communities': 'createCommunity',
  'POST /v1/connections/{connectionId}/group-invites/preview': 'previewGroupInvite',
  'POST /v1/connections/{connectionId}/group-invites/join': 'joinGroup',
  'POST /v1/connections/{connectionId}/groups/{group}/invitations/accept': 'acceptGroupInvitation',
  'POST /v1/connections/{connectionId}/channel-invites/preview': 'previewChannelInvite',
  'POST /v1/connections/{connectionId}/channels/{channel}/posts/{post}/react': 'reactToChannelPost',
  'POST /v1/events/stream-tickets': 'createStreamTicket',
  'GET /v1/tenant': 'getOwnTenant',
  'PATCH /v1/tenant': 'updateOwnTenant',
  'PUT /v1/export-schedule': 'setExportSchedule',
  'POST /v1/contact-erasures': 'eraseContact',
  'POST /v1/admin/tenants/{tenantId}/connections/{connectionId}/restored-rows': 'restoreRows',
  'DELETE /v1/admin/tenants/{tenantId}/api-keys/{keyId}': 'revokeTenantApiKey',
  'GET /v1/admin/audit': 'listOperatorAudit',
  'GET /health/ready': 'getReadiness',
  'GET /health/detailed': 'getDetailedHealth',
  'GET /v1/openapi.json': 'getOpenApi',
};

/** The last words of paths at which an action tells a list. */
const LISTS: ReadonlySet<string> = new Set([
  'blocked-contacts',
  'channels',
  'groups',
  'join-requests',
  'labels',
  'posts',
]);

/** What the methods do with one thing. */
const VERBS = { GET: 'get', POST: 'create', PUT: 'put', PATCH: 'update', DELETE: 'delete' } as const;

/**
 * The name of a request in the OpenAPI document, by which generated clients call it: what is done, and with what. Path
 * `…/groups/{group}/participants/add` with POST is `addGroupParticipants`, `…/chats` with GET `listChats`. A name stays when its summary
 * changes.
 * @param collections the paths behind which a single thing stands: what is posted there makes one
 */
export function operationIdOf(route: Route, collections: ReadonlySet<string>): string {
  const named = NAMED[`${route.method} ${route.path}`];
  if (named !== undefined) return named;
  const parts = route.path.split('/').filter((part) => part !== '' && part !== 'v1' && part !== 'admin');
  const last = parts.at(-1) ?? '';
  const { method } = route;
  if (last.startsWith('{') || method === 'PUT' || method === 'PATCH' || method === 'DELETE') {
    return camel([VERBS[method], ...nounsOf(parts)]);
  }
  if (method === 'GET') return camel([isList(route) || LISTS.has(last) ? 'list' : 'get', ...nounsOf(parts)]);
  if (collections.has(route.path))
    return camel(['create', ...withoutConnection(nounsOf(parts.slice(0, -1))), singular(last)]);
  return camel([last, ...nounsOf(parts.slice(0, -1))]);
}

/** The paths of things of which each has a path of its own. */
export function collectionsOf(routes: readonly Route[]): ReadonlySet<string> {
  return new Set(routes.flatMap(({ path }) => (path.endsWith('}') ? [path.slice(0, path.lastIndexOf('/'))] : [])));
}

function isList({ answers: { schema } }: Route): boolean {
  return schema instanceof z.ZodObject && schema.shape['data'] instanceof z.ZodArray;
}

/** The words for what a path leads to: a thing is named by the one word before its id, and the connection only where nothing follows. */
function nounsOf(parts: readonly string[]): readonly string[] {
  const nouns = parts.flatMap((part, place) => {
    if (part.startsWith('{')) return [];
    return [parts[place + 1]?.startsWith('{') === true ? singular(part) : part];
  });
  return nouns.length > 1 ? withoutConnection(nouns) : nouns;
}

function withoutConnection(nouns: readonly string[]): readonly string[] {
  return nouns[0] === 'connection' ? nouns.slice(1) : nouns;
}

function singular(noun: string): string {
  if (noun.endsWith('ies')) return `${noun.slice(0, -3)}y`;
  return noun.endsWith('s') ? noun.slice(0, -1) : noun;
}

function camel(words: readonly string[]): string {
  return words
    .join('-')
    .split('-')
    .map((word, place) => (place === 0 ? word : word.charAt(0).toUpperCase() + word.slice(1)))
    .join('');
}
