import { Actions } from './actions.ts';
import type { AddRoutes } from './api.ts';
import { Changes } from './changes.ts';
import { addDesignRoutes } from './design-routes.ts';
import { addDlqRoutes } from './dlq-routes.ts';
import { addEngineRoutes } from './engine-routes.ts';
import { refusalFor } from './failures.ts';
import { addHistoryRoutes } from './history-routes.ts';
import { addJobRoutes } from './job-routes.ts';
import type { Login } from './login.ts';
import { Looks } from './looks.ts';
import { addMetricRoutes } from './metric-routes.ts';
import { addPipelineRoutes } from './pipeline-routes.ts';
import { addRevisionRoutes } from './revision-routes.ts';
import { RouteTable } from './route-table.ts';
import { addSecretRoutes } from './secret-routes.ts';
import { addV1PipelineRoutes } from './v1-pipeline-routes.ts';
import { addSourceRoutes, addV1Routes } from './v1-routes.ts';

export interface ApiParts {
  readonly login: Login;
  /** Told of errors that a client is not shown. */
  readonly onError: (error: Error) => void;
}

/** The whole API. Loaded with the first request: the shapes of all answers take longer than the start of rdi may. */
export function allRoutes({ login, onError }: ApiParts): RouteTable {
  const changes = new Changes();
  const actions = new Actions((error) => refusalFor(error, onError).body.detail);
  const looks = new Looks();
  // The order is that of the documentation.
  const files: readonly AddRoutes[] = [
    (api) => addPipelineRoutes(api, changes),
    addRevisionRoutes,
    addJobRoutes,
    addDlqRoutes,
    addSecretRoutes,
    addEngineRoutes,
    (api) => addHistoryRoutes(api, looks),
    addMetricRoutes,
    addDesignRoutes,
    (api) => addV1Routes(api, { login }),
    (api) => addV1PipelineRoutes(api, { changes, actions, looks }),
    addSourceRoutes,
  ];
  const table = new RouteTable();
  for (const add of files) add(table);
  return table;
}
