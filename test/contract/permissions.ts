import type { ProcessAccess } from '../../infra/access/processAccess.ts';
import { SHARD_INDEX } from '../../shared/platform/tables.ts';
import type { NeededPermission } from './recordedCall.ts';

/** One action that a role is allowed on one resource. */
export interface Permission {
  readonly caller: string;
  readonly action: string;
  readonly resource: string;
  /** Beginnings of partition keys; undefined where all are allowed. */
  readonly keys: readonly string[] | undefined;
}

/** What reading and writing sealed objects needs of the bucket's key. */
const OBJECT_KEY_ACTIONS = { GetObject: 'kms:Decrypt', PutObject: 'kms:GenerateDataKey' } as const;
const KEY_ACTIONS = ['kms:Decrypt', 'kms:GenerateDataKey'] as const;

/** Every permission of the table of access, one by one. */
export function permissionsOf(access: Readonly<Record<string, ProcessAccess>>): readonly Permission[] {
  return Object.entries(access).flatMap(([caller, { tables, queues, objects = [], dataKeys }]) => [
    ...tables.flatMap(({ table, onShardIndex, keys, actions }) =>
      actions.map((action) => ({
        caller,
        action: `dynamodb:${action}`,
        resource: onShardIndex === true ? `${table}/index/${SHARD_INDEX.name}` : table,
        keys,
      })),
    ),
    ...queues.flatMap(({ queue, actions }) =>
      actions.map((action) => ({ caller, action: `sqs:${action}`, resource: queue, keys: undefined })),
    ),
    ...objects.flatMap((action) => [
      { caller, action: `s3:${action}`, resource: 'media', keys: undefined },
      ...(action in OBJECT_KEY_ACTIONS
        ? [
            {
              caller,
              action: OBJECT_KEY_ACTIONS[action as keyof typeof OBJECT_KEY_ACTIONS],
              resource: 'key of the bucket',
              keys: undefined,
            },
          ]
        : []),
    ]),
    ...(dataKeys ? KEY_ACTIONS : []).map((action) => ({ caller, action, resource: 'data key', keys: undefined })),
  ]);
}

/** In one line, for example `api dynamodb:GetItem core KEY#*`. */
export function nameOf({ caller, action, resource, keys }: Permission): string {
  return [caller, action, resource, ...(keys === undefined ? [] : [keys.join(' or ')])].join(' ');
}

/** Whether IAM lets this caller do it by this permission: every key that is named must have one of the beginnings. */
export function allows(permission: Permission, caller: string, needed: NeededPermission): boolean {
  const { action, resource, keys } = permission;
  return (
    caller === permission.caller &&
    action === needed.action &&
    resource === needed.resource &&
    (keys === undefined || needed.keys.every((key) => keys.some((pattern) => fits(key, pattern))))
  );
}

/** `StringLike` with a star at the end. */
function fits(key: string, pattern: string): boolean {
  return pattern.endsWith('*') ? key.startsWith(pattern.slice(0, -1)) : key === pattern;
}
