import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import {
  GetCommand,
  PutCommand,
  UpdateCommand,
  type DynamoDBDocumentClient,
  type UpdateCommandInput,
} from '@aws-sdk/lib-dynamodb';
import type { ActionId, ConnectionId, CorrelationId, TenantId } from '../kernel/id.ts';
import { expiryOf, isExpired } from '../platform/expiry.ts';
import { fencedBy } from '../platform/fence.ts';
import { ACTION_PREFIX, actionKey, actionPartition, actionPlaceKey } from '../platform/keys.ts';
import { queryItems, readPage } from '../platform/pages.ts';
import { tableName } from '../platform/tables.ts';
import type { Action, ActionEnd, ActionState } from './action.ts';
import type { ActionError } from './actionError.ts';
import type { ActionKind } from './actionKinds.ts';

/** The connection whose owner writes, and the epoch under which it does. */
interface ActionOwner {
  readonly connectionId: ConnectionId;
  readonly token: number;
}

/** The end of an action, for the row. */
export interface ActionResult {
  readonly state: ActionEnd;
  readonly atMs: number;
  readonly result?: Readonly<Record<string, unknown>> | undefined;
  readonly error?: ActionError | undefined;
}

/** Reads and writes of action rows, each with its condition. */
export class ActionStore {
  readonly #table: DynamoDBDocumentClient;
  readonly #TableName: string;

  constructor({ table, stage }: { readonly table: DynamoDBDocumentClient; readonly stage: string }) {
    this.#table = table;
    this.#TableName = tableName(stage, 'core');
  }

  /** Writes a new action and the way to it. Condition: the action is new; an old one is kept, and returned. */
  async create(action: Action): Promise<Action> {
    const { tenantId, connectionId, actionId, createdAtMs } = action;
    const ttl = expiryOf('openAction', createdAtMs);
    const Item = { ...actionPlaceKey(tenantId, actionId), connectionId, ttl };
    await this.#table.send(new PutCommand({ TableName: this.#TableName, Item }));
    try {
      await this.#table.send(
        new PutCommand({
          TableName: this.#TableName,
          Item: { ...actionKey(connectionId, actionId), ...action, ttl },
          ConditionExpression: 'attribute_not_exists(pk)',
        }),
      );
      return action;
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      return (await this.find(connectionId, actionId)) ?? action;
    }
  }

  /** Finds one action, strongly consistent. */
  async find(connectionId: ConnectionId, actionId: ActionId): Promise<Action | undefined> {
    const Key = actionKey(connectionId, actionId);
    const answer = await this.#table.send(new GetCommand({ TableName: this.#TableName, Key, ConsistentRead: true }));
    return answer.Item === undefined ? undefined : toAction(answer.Item);
  }

  /** Finds an action of a tenant, whichever connection it is for. */
  async findOfTenant(tenantId: TenantId, actionId: ActionId, nowMs: number): Promise<Action | undefined> {
    const Key = actionPlaceKey(tenantId, actionId);
    const { Item } = await this.#table.send(new GetCommand({ TableName: this.#TableName, Key, ConsistentRead: true }));
    if (Item === undefined || isExpired(Item, nowMs)) return undefined;
    return this.find(Item['connectionId'] as ConnectionId, actionId);
  }

  /** Reads a page of actions, newest first. */
  async list(
    connectionId: ConnectionId,
    page: { readonly before: ActionId | undefined; readonly limit: number; readonly nowMs: number },
  ): Promise<{ readonly actions: readonly Action[]; readonly next: ActionId | undefined }> {
    const items = queryItems(
      this.#table,
      {
        TableName: this.#TableName,
        KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
        ExpressionAttributeValues: { ':pk': actionPartition(connectionId), ':prefix': ACTION_PREFIX },
        ScanIndexForward: false,
      },
      {
        pageSize: page.limit + 1,
        after: page.before === undefined ? undefined : { ...actionKey(connectionId, page.before) },
      },
    );
    const show = (item: Record<string, unknown>): Action | undefined =>
      isExpired(item, page.nowMs) ? undefined : toAction(item);
    const { shown, last } = await readPage(items, { limit: page.limit, show });
    return { actions: shown, next: last === undefined ? undefined : toAction(last).actionId };
  }

  /**
   * Begins a try: WhatsApp is about to be asked. Condition: nobody is asking, or the owner that began it has lost the
   * connection or the thread of it (`isTakenUp`), and no newer owner has touched it.
   */
  begin(owner: ActionOwner, actionId: ActionId, atMs: number, isTakenUp: boolean): Promise<'begun' | 'refused'> {
    return this.#update(owner, actionId, isTakenUp ? ['accepted', 'running'] : ['accepted'], {
      UpdateExpression: '#state = :state, startedAtMs = :at ADD attempts :one REMOVE limitedBy',
      ExpressionAttributeValues: { ':state': 'running', ':at': atMs, ':one': 1 },
    }).then((written) => (written ? 'begun' : 'refused'));
  }

  /**
   * Ends a try that was certainly not made, or that may be made twice: the action waits to be asked again. Condition:
   * this owner is asking.
   */
  async giveBack(
    owner: ActionOwner,
    actionId: ActionId,
    { limitedBy, progress }: Pick<Action, 'limitedBy' | 'progress'>,
  ): Promise<void> {
    const isLimited = limitedBy === undefined ? '' : ', limitedBy = :limitedBy';
    // What has come further may be tried as often as at first.
    const isFurther = progress === undefined ? '' : ', progress = :progress, attempts = :none';
    await this.#update(owner, actionId, ['running'], {
      UpdateExpression: `#state = :state${isLimited}${isFurther}`,
      ExpressionAttributeValues: {
        ':state': 'accepted',
        ...(limitedBy === undefined ? {} : { ':limitedBy': limitedBy }),
        ...(progress === undefined ? {} : { ':progress': progress, ':none': 0 }),
      },
    });
  }

  /** Records the end. Condition: the action has not ended, and no newer owner has touched it. */
  async end(owner: ActionOwner, actionId: ActionId, ended: ActionResult): Promise<'recorded' | 'refused'> {
    const { state, atMs, result, error } = ended;
    const values: Readonly<Record<string, unknown>> = {
      ...(result === undefined ? {} : { result }),
      ...(error === undefined ? {} : { error }),
      endedAtMs: atMs,
      ttl: expiryOf('action', atMs),
    };
    const names = Object.keys(values);
    const written = await this.#update(owner, actionId, ['accepted', 'running'], {
      UpdateExpression: `#state = :state, ${names.map((name) => `#${name} = :${name}`).join(', ')}`,
      ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
      ExpressionAttributeValues: {
        ':state': state,
        ...Object.fromEntries(Object.entries(values).map(([name, value]) => [`:${name}`, value])),
      },
    });
    return written ? 'recorded' : 'refused';
  }

  /** Writes under the epoch of the owner, from one of these states. Returns whether the condition held. */
  async #update(
    { connectionId, token }: ActionOwner,
    actionId: ActionId,
    from: readonly ActionState[],
    /** The update, whose expression gives what to set beside the fence, and then further clauses. */
    update: Pick<UpdateCommandInput, 'UpdateExpression' | 'ExpressionAttributeNames' | 'ExpressionAttributeValues'>,
  ): Promise<boolean> {
    const fence = fencedBy('token', token);
    const states = from.map((state) => [`:from_${state}`, state] as const);
    try {
      await this.#table.send(
        new UpdateCommand({
          TableName: this.#TableName,
          Key: actionKey(connectionId, actionId),
          UpdateExpression: `SET ${fence.set}, ${update.UpdateExpression}`,
          ConditionExpression: `attribute_exists(pk) AND #state IN (${states.map(([name]) => name).join(', ')}) AND ${fence.condition}`,
          ExpressionAttributeNames: { '#state': 'state', ...fence.names, ...update.ExpressionAttributeNames },
          ExpressionAttributeValues: {
            ...Object.fromEntries(states),
            ...fence.values,
            ...update.ExpressionAttributeValues,
          },
        }),
      );
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }
}

/** A stored row as an action. Only our own code writes rows, so a missing attribute is a bug and shows as undefined. */
export function toAction(item: Record<string, unknown>): Action {
  return {
    actionId: item['actionId'] as ActionId,
    tenantId: item['tenantId'] as TenantId,
    connectionId: item['connectionId'] as ConnectionId,
    kind: item['kind'] as ActionKind,
    account: item['account'] as string,
    request: item['request'] as Action['request'],
    state: item['state'] as ActionState,
    result: item['result'] as Action['result'],
    error: item['error'] as ActionError | undefined,
    correlationId: item['correlationId'] as CorrelationId,
    createdAtMs: item['createdAtMs'] as number,
    expiresAtMs: item['expiresAtMs'] as number,
    token: item['token'] as number | undefined,
    attempts: (item['attempts'] as number | undefined) ?? 0,
    progress: item['progress'] as Action['progress'],
    limitedBy: item['limitedBy'] as number | undefined,
    startedAtMs: item['startedAtMs'] as number | undefined,
    endedAtMs: item['endedAtMs'] as number | undefined,
  };
}
