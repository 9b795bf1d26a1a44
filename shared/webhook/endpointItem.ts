import type { ChatKind } from '../connection/chatKind.ts';
import type { EventType } from '../event/event.ts';
import type { EndpointId, TenantId } from '../kernel/id.ts';
import { Secret } from '../kernel/secret.ts';
import type { Disabling, Endpoint } from './endpoint.ts';

/** Reads an endpoint. */
export function toEndpoint(item: Record<string, unknown>): Endpoint {
  return {
    tenantId: item['tenantId'] as TenantId,
    endpointId: item['endpointId'] as EndpointId,
    url: item['url'] as string,
    events: item['events'] as readonly EventType[] | undefined,
    connectionIds: item['connectionIds'] as readonly string[] | undefined,
    chatKinds: item['chatKinds'] as readonly ChatKind[] | undefined,
    headers: item['headers'] as Readonly<Record<string, string>> | undefined,
    batch: item['batch'] as Endpoint['batch'],
    order: item['order'] as Endpoint['order'],
    state: item['state'] as Endpoint['state'],
    secret: new Secret(item['secret'] as string),
    previousSecret:
      item['previousSecret'] === undefined
        ? undefined
        : {
            secret: new Secret(item['previousSecret'] as string),
            untilMs: item['previousSecretUntilMs'] as number,
          },
    breaker: {
      failures: (item['breakerFailures'] as number | undefined) ?? 0,
      openUntilMs: item['openUntilMs'] as number | undefined,
    },
    failingSinceMs: item['failingSinceMs'] as number | undefined,
    slowUntilMs: item['slowUntilMs'] as number | undefined,
    isHeld: item['isHeld'] as boolean | undefined,
    disabling: toDisabling(item),
    createdAtMs: item['createdAtMs'] as number,
  };
}

function toDisabling(item: Record<string, unknown>): Disabling | undefined {
  const stored = item['disabling'] as Omit<Disabling, 'isTold'> | undefined;
  return stored === undefined ? undefined : { ...stored, isTold: item['disablingTold'] === stored.atMs };
}
