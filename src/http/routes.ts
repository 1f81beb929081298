import type { AddRoutes } from './api.ts';
import { addDlqRoutes } from './dlq-routes.ts';
import { addEngineRoutes } from './engine-routes.ts';
import { RouteTable } from './route-table.ts';

/** Every file of routes; the order is that of the documentation. */
const ROUTES: readonly AddRoutes[] = [addEngineRoutes, addDlqRoutes];

/** The whole API. Loaded with the first request: the shapes of all answers take longer than the start of rdi may. */
export function allRoutes(): RouteTable {
  const table = new RouteTable();
  for (const add of ROUTES) add(table);
  return table;
}
