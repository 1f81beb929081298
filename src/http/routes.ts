import type { AddRoutes } from './api.ts';
import { Changes } from './changes.ts';
import { addDlqRoutes } from './dlq-routes.ts';
import { addEngineRoutes } from './engine-routes.ts';
import { addHistoryRoutes } from './history-routes.ts';
import { addJobRoutes } from './job-routes.ts';
import { addPipelineRoutes } from './pipeline-routes.ts';
import { addRevisionRoutes } from './revision-routes.ts';
import { RouteTable } from './route-table.ts';
import { addSecretRoutes } from './secret-routes.ts';

/** The whole API. Loaded with the first request: the shapes of all answers take longer than the start of rdi may. */
export function allRoutes(): RouteTable {
  const changes = new Changes();
  // The order is that of the documentation.
  const files: readonly AddRoutes[] = [
    (api) => addPipelineRoutes(api, changes),
    addRevisionRoutes,
    addJobRoutes,
    addDlqRoutes,
    addSecretRoutes,
    addEngineRoutes,
    addHistoryRoutes,
  ];
  const table = new RouteTable();
  for (const add of files) add(table);
  return table;
}
