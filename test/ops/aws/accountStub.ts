import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An account as its services answer: STS and IAM in XML, Systems Manager and Service Quotas in JSON. */
export interface StubAccount {
  /** Values by quota code. */
  readonly quotas: Readonly<Record<string, number>>;
  readonly roles: readonly string[];
  readonly bootstrap: string | undefined;
  readonly zones: number;
  readonly isLoggedIn: boolean;
}

export const fresh: StubAccount = {
  quotas: { 'L-B99A9384': 10, 'L-3032A538': 6, 'L-0263D0A3': 5 },
  roles: [],
  bootstrap: undefined,
  zones: 3,
  isLoggedIn: true,
};
export const small: StubAccount = {
  ...fresh,
  roles: ['AWSServiceRoleForECS', 'AWSServiceRoleForApplicationAutoScaling_ECSService'],
  bootstrap: '21',
};
export const ready: StubAccount = {
  ...small,
  quotas: { 'L-B99A9384': 1_000, 'L-3032A538': 500, 'L-0263D0A3': 5 },
};

/** Starts the account on loopback. */
export async function startAccount(
  account: StubAccount,
): Promise<{ readonly endpoint: string; readonly stop: () => Promise<void> }> {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => answer(account, request, body, response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function answer(account: StubAccount, request: IncomingMessage, body: string, response: ServerResponse): void {
  const target = request.headers['x-amz-target'];
  if (typeof target === 'string') {
    const [status, json] = answerJson(account, target, JSON.parse(body) as Record<string, string>);
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(json));
    return;
  }
  const asked = new URLSearchParams(body);
  const [status, xml] = answerXml(account, asked.get('Action') ?? '', asked.get('RoleName') ?? '');
  response.writeHead(status, { 'content-type': 'text/xml' }).end(xml);
}

function answerJson(
  { quotas, bootstrap, zones }: StubAccount,
  target: string,
  input: Readonly<Record<string, string>>,
): readonly [number, object] {
  if (target.endsWith('.GetServiceQuota')) {
    const value = quotas[input['QuotaCode'] ?? ''];
    return value === undefined ? [400, { __type: 'NoSuchResourceException' }] : [200, { Quota: { Value: value } }];
  }
  if (target.endsWith('.GetParameter')) {
    return bootstrap === undefined
      ? [400, { __type: 'ParameterNotFound' }]
      : [200, { Parameter: { Value: bootstrap } }];
  }
  const Parameters = Array.from({ length: zones }, (_, index) => ({
    Name: `${input['Path']}/az${index}`,
    Value: `az${index}`,
  }));
  return [200, { Parameters }];
}

function answerXml({ roles, isLoggedIn }: StubAccount, action: string, role: string): readonly [number, string] {
  if (!isLoggedIn)
    return [403, error('InvalidClientTokenId', 'The security token included in the request is invalid.')];
  if (action === 'GetCallerIdentity') {
    return [
      200,
      '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>arn:aws:iam::111122223333:user/ann</Arn><UserId>U</UserId><Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>',
    ];
  }
  if (!roles.includes(role)) return [404, error('NoSuchEntity', `The role with name ${role} cannot be found.`)];
  return [
    200,
    `<GetRoleResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><GetRoleResult><Role><Path>/</Path><RoleName>${role}</RoleName><RoleId>R</RoleId><Arn>arn:aws:iam::111122223333:role/${role}</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate></Role></GetRoleResult></GetRoleResponse>`,
  ];
}

function error(code: string, message: string): string {
  return `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`;
}
