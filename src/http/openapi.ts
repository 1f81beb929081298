import { z } from 'zod';
import { VERSION } from '../lib/version.ts';
import type { AnyRoute } from './route-table.ts';
import { failure } from './shapes.ts';

type Json = Record<string, unknown>;

const DESCRIPTION = `rdi keeps Redis in step with a relational database. This API operates a running rdi: what Redis Data
Integration serves under /api/v1 and /api/v2 has RDI's shapes, so that its clients work; the rest is ours.

Where a login is configured, POST /api/v1/login gives a token, which goes into the header "Authorization: Bearer …".`;

/** Statuses that every operation may answer, with what they mean. */
const COMMON_FAILURES: Readonly<Record<number, string>> = {
  400: 'The request cannot be read',
  401: 'A valid token is needed',
  422: 'The request or the configuration is wrong: every mistake with its place',
  503: 'The engine is starting, or cannot do this now',
};

const BEARER = { bearer: [] };

/** The OpenAPI 3.1 document of these routes. */
export function openApiOf(routes: readonly AnyRoute[]): Json {
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    const operations = paths[route.path] ?? {};
    operations[route.method.toLowerCase()] = operation(route);
    paths[route.path] = operations;
  }
  return {
    openapi: '3.1.0',
    info: { title: 'rdi', version: VERSION, description: DESCRIPTION, license: { name: 'Apache-2.0' } },
    tags: [...new Set(routes.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas: { Failure: schemaOf(failure, 'output') },
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
    security: [BEARER],
  };
}

function operation(route: AnyRoute): Json {
  const parameters = [...parametersOf(route.params, 'path'), ...parametersOf(route.query, 'query')];
  return {
    operationId: operationId(route),
    tags: [route.tag],
    summary: route.summary,
    ...(route.isOpen === true ? { security: [] } : {}),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(route.body === undefined ? {} : { requestBody: requestBody(route.body) }),
    responses: responses(route),
  };
}

function operationId({ method, path }: AnyRoute): string {
  return `${method.toLowerCase()}${path.replace('/api', '').replaceAll(/[/{}-]+/g, '_')}`.replace(/_$/, '');
}

function requestBody(body: z.ZodType): Json {
  return {
    required: !body.safeParse(undefined).success,
    content: { 'application/json': { schema: schemaOf(body, 'input') } },
  };
}

function parametersOf(shape: z.ZodType | undefined, place: 'path' | 'query'): Json[] {
  if (shape === undefined) return [];
  const { properties = {}, required = [] } = schemaOf(shape, 'input') as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    ...(description === undefined ? {} : { description }),
    // Numbers and switches of a query are taken from their texts, which a schema of the parsed value does not say.
    schema: Object.keys(schema).length === 0 ? { type: 'string' } : schema,
  }));
}

function responses({ status = 200, answer, isStream, otherAnswers = {}, failures = {} }: AnyRoute): Json {
  const type = isStream === true ? 'application/x-ndjson' : 'application/json';
  const success = (shape: z.ZodType | null): Json => ({
    description: isStream === true ? 'One line of JSON each' : 'Done',
    ...(shape === null ? {} : { content: { [type]: { schema: schemaOf(shape, 'output') } } }),
  });
  const refusals = Object.entries({ ...COMMON_FAILURES, ...failures }).map(([code, description]) => [
    code,
    { description, content: { 'application/json': { schema: { $ref: '#/components/schemas/Failure' } } } },
  ]);
  return {
    [status]: success(answer),
    ...Object.fromEntries(Object.entries(otherAnswers).map(([code, shape]) => [code, success(shape)])),
    ...Object.fromEntries(refusals),
  };
}

function schemaOf(shape: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...schema } = z.toJSONSchema(shape, { io, unrepresentable: 'any' }) as Json;
  return schema;
}
