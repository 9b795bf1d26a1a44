import type { IncomingMessage, ServerResponse } from 'node:http';

/** The faults of calls, as S3 answers them: code, status, and what it says. */
const faults = {
  AccessDenied: [403, 'AccessDenied', 'Access Denied'],
  AuthorizationQueryParametersError: [
    400,
    'AuthorizationQueryParametersError',
    'The signature of the address is not whole.',
  ],
  BadDigest: [400, 'BadDigest', 'The bytes are not those that the checksum or the length says.'],
  CorsForbidden: [403, 'AccessForbidden', 'CORSResponse: This CORS request is not allowed.'],
  EntityTooLarge: [400, 'EntityTooLarge', 'The body is larger than 5 GiB.'],
  EntityTooSmall: [400, 'EntityTooSmall', 'A part that is not the last one is smaller than 5 MiB.'],
  ExpiredAddress: [403, 'AccessDenied', 'Request has expired'],
  InvalidArgument: [400, 'InvalidArgument', 'A part has a number from 1 to 10,000.'],
  InvalidPart: [400, 'InvalidPart', 'A part that is listed is not there, or is another one.'],
  InvalidPartOrder: [400, 'InvalidPartOrder', 'The parts are not listed in their order.'],
  InvalidRange: [416, 'InvalidRange', 'The requested range is not satisfiable'],
  MalformedXML: [400, 'MalformedXML', 'The list of parts cannot be read.'],
  MethodNotAllowed: [405, 'MethodNotAllowed', 'The specified method is not allowed against this resource.'],
  MissingContentLength: [411, 'MissingContentLength', 'A body must say its length.'],
  NoSuchBucket: [404, 'NoSuchBucket', 'The specified bucket does not exist'],
  NoSuchKey: [404, 'NoSuchKey', 'The specified key does not exist.'],
  NoSuchUpload: [404, 'NoSuchUpload', 'The specified upload does not exist.'],
  NotImplemented: [501, 'NotImplemented', 'This emulator does not know the call.'],
  SignatureDoesNotMatch: [403, 'SignatureDoesNotMatch', 'The signature of the address is not the one of this request.'],
} as const satisfies Record<string, readonly [number, string, string]>;
export type ObjectFaultName = keyof typeof faults;

/** Answers a call that failed. What is left of its body is not read: the connection ends with the answer. */
export function answerFault(
  { request, response }: { readonly request: IncomingMessage; readonly response: ServerResponse },
  fault: ObjectFaultName,
  headers: Readonly<Record<string, string>> = {},
): void {
  const [status, code, sentence] = faults[fault];
  if (!request.complete) response.setHeader('connection', 'close');
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  // The answer to such a question has no body.
  if (request.method === 'HEAD') response.writeHead(status).end();
  else answerXml(response, status, 'Error', `<Code>${code}</Code><Message>${escapeXml(sentence)}</Message>`);
}

export function answerXml(response: ServerResponse, status: number, name: string, content: string): void {
  const text = `<?xml version="1.0" encoding="UTF-8"?>\n<${name}>${content}</${name}>`;
  response
    .writeHead(status, { 'content-type': 'application/xml', 'content-length': Buffer.byteLength(text) })
    .end(text);
}

export function escapeXml(text: string): string {
  return text.replaceAll(/[^ -~]|[&<>"]/gu, (one) => `&#${one.codePointAt(0)};`);
}

/**
 * Answers what a browser asks before a page sends something here: a page may upload, with no header but the type, and nothing else.
 * Source: Amazon S3 User Guide, "Using cross-origin resource sharing (CORS)".
 */
export function answerQuestion(request: IncomingMessage, response: ServerResponse): void {
  const asked = request.headers['access-control-request-headers'] ?? '';
  const names = asked.split(',').map((name) => name.trim().toLowerCase());
  const may =
    request.headers['access-control-request-method'] === 'PUT' &&
    names.every((name) => name === '' || name === 'content-type');
  if (!may) return answerFault({ request, response }, 'CorsForbidden');
  const headers = { ...openToPages, 'access-control-allow-methods': 'PUT', 'access-control-allow-headers': asked };
  response.writeHead(200, { ...headers, 'access-control-max-age': '3000', 'content-length': 0 }).end();
}

/** What lets a page read the answer to its upload. */
export const openToPages = { 'access-control-allow-origin': '*', vary: 'Origin' } as const;
