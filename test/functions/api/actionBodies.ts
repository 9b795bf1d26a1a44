import { actionRows, pathFieldsOf } from '../../../shared/action/actionKinds.ts';

/** The body of the example of an action that has one, by the path of its route; undefined for every other route. */
export function actionBodyOf(path: string, method = 'POST'): Readonly<Record<string, unknown>> | undefined {
  const row = actionRows.find(
    (candidate) => candidate.method === method && path === `/v1/connections/{connectionId}/${candidate.path}`,
  );
  if (row === undefined) return undefined;
  const inPath = pathFieldsOf(row);
  return Object.fromEntries(Object.entries(row.example.request).filter(([name]) => !inPath.includes(name)));
}
