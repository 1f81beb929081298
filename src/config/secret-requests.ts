import { referredNames } from './placeholders.ts';
import type { PipelineDocument } from './types.ts';
import { parseYaml } from './yaml-file.ts';

/** A value that a pipeline asks of a secret provider. */
export interface SecretRequest {
  /** What placeholders call it: the `objectName` of an object, or `secret:PROVIDER:PATH:FIELD`. */
  readonly name: string;
  readonly provider: string;
  /** Undefined for a provider that the pipeline does not define. */
  readonly type: string | undefined;
  readonly path: string;
  readonly field: string;
}

/**
 * What the `secret-providers` of a pipeline and its `${secret:PROVIDER:PATH:FIELD}` ask for; nothing when its `config.yaml` is no
 * YAML. Objects are those of Vault's CSI provider: `objectName`, `secretPath`, `secretKey`. A path may be an `objectName`.
 */
export function secretRequests({ config }: Pick<PipelineDocument, 'config'>): SecretRequest[] {
  // Most pipelines have neither; they are not to be parsed once more.
  if (!config.includes('secret:') && !config.includes('secret-providers')) return [];
  const { content } = parseYaml('config.yaml', config);
  const providers = asMap(asMap(content)['secret-providers']);
  const objects = Object.entries(providers).flatMap(([provider, value]) => objectsOf(provider, asMap(value)));
  const references = referredNames(content).flatMap((name) => {
    const [, provider, path, field] = /^secret:([^:]+):(.+):([^:]+)$/.exec(name) ?? [];
    if (provider === undefined || path === undefined || field === undefined) return [];
    const type = asMap(providers[provider])['type'];
    const object = objects.find((one) => one.provider === provider && one.name === path);
    return [{ name, provider, type: asText(type), path: object?.path ?? path, field }];
  });
  return [...objects, ...references];
}

function objectsOf(provider: string, value: Record<string, unknown>): SecretRequest[] {
  const type = asText(value['type']);
  const { objects } = asMap(value['parameters']);
  if (!Array.isArray(objects)) return [];
  return objects.flatMap((object) => {
    const { objectName, secretPath, secretKey } = asMap(object);
    const [name, path, field] = [asText(objectName), asText(secretPath), asText(secretKey)];
    return name === undefined || path === undefined ? [] : [{ name, provider, type, path, field: field ?? name }];
  });
}

function asMap(value: unknown): Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

function asText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
