import { z } from 'zod';
import { isOrigin } from '../../shared/connection/pairingLink.ts';
import { AppError } from '../../shared/kernel/appError.ts';
import { route, type Answer, type Route } from '../http/route.ts';
import { PAIRING_PAGE_PATH } from '../routes/pairingLinks.ts';
import { PAGE, type PageFile, type PageFiles } from './pageFiles.ts';

export interface PageRouteDependencies {
  /** The files of the pairing page, read when they are first asked for; undefined where the page is not served. */
  readonly page?: (() => PageFiles) | undefined;
}

/** A name with a hash in it never means another content. */
const FOR_EVER = 'public, max-age=31536000, immutable';
const query = z.object({ origin: z.string().max(2_048).optional() });

/** The routes of the pairing page and of its files. They are for browsers, and no part of the API's document. */
export function pageRoutes({ page }: PageRouteDependencies): readonly Route[] {
  if (page === undefined) return [];
  return [
    route('GET', PAIRING_PAGE_PATH, {
      summary: 'The pairing page',
      access: 'public',
      query,
      answers: { status: 200 },
      handle: async ({ query: { origin }, headers }) =>
        toAnswer(page().get(PAGE), headers, {
          'cache-control': 'no-cache',
          'content-security-policy': policyFor(origin),
        }),
    }),
    route('GET', `${PAIRING_PAGE_PATH}/{asset}`, {
      summary: 'A file of the pairing page',
      access: 'public',
      answers: { status: 200 },
      handle: async ({ parameters, headers }) => {
        const { asset = '' } = parameters;
        return toAnswer(asset === PAGE ? undefined : page().get(asset), headers, { 'cache-control': FOR_EVER });
      },
    }),
  ];
}

/**
 * What the page may do: nothing from another host, no script or style of its own text. It may be framed by the origin that its address
 * names, and the page shows nothing there unless its link names the same one.
 */
export function policyFor(origin: string | undefined): string {
  const around = origin !== undefined && isOrigin(origin) ? origin : "'none'";
  return `default-src 'self'; base-uri 'none'; form-action 'none'; object-src 'none'; frame-ancestors ${around}`;
}

function toAnswer(
  file: PageFile | undefined,
  headers: Readonly<Record<string, string | undefined>>,
  more: Readonly<Record<string, string>>,
): Answer {
  if (file === undefined) throw new AppError('route_not_found');
  const isGzipped = /\bgzip\b/i.test(headers['accept-encoding'] ?? '');
  const content = isGzipped ? file.gzipped : file.plain;
  return {
    status: 200,
    bytes: { contentType: file.contentType, content },
    headers: { ...more, vary: 'accept-encoding', ...(isGzipped ? { 'content-encoding': 'gzip' } : {}) },
  };
}
