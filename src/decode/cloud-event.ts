import { type EnvelopeContext, type EnvelopeParts, emptyParts } from './envelope.ts';
import type { Form, Forms } from './form.ts';
import { Members } from './members.ts';
import { DecodeProblem } from './problem.ts';
import type { Scanner } from './scanner.ts';
import { atObject } from './table.ts';

/**
 * Reads a structured CloudEvent (`debezium.format.value=cloudevents`): the attributes `iodebezium<field>` are the fields of the
 * source block without underscores, in a case that differs by version; `data` is `{before, after}`, perhaps wrapped with its
 * schema. Without these attributes, `source` (`/debezium/<connector>/<name>`) still tells connector and server.
 */
export function readCloudEvent(
  scanner: Scanner,
  members: Members,
  forms: Forms,
  context: EnvelopeContext,
): { parts: EnvelopeParts; form: Form } {
  const parts = emptyParts();
  const attributes = attributesOf(members);
  const [, , connector, serverName] = (members.text('source') ?? '').split('/');
  parts.table = context.tables.intern(
    attributes.get('connector') ?? connector ?? '',
    attributes.get('name') ?? serverName ?? '',
    attributes.get('db') ?? attributes.get('keyspace') ?? '',
    attributes.get('schema') ?? '',
    attributes.get('table') || attributes.get('collection') || context.fallbackTable,
  );
  parts.sourceMs = Number(attributes.get('tsms')) || 0;
  parts.incremental = attributes.get('snapshot') === 'incremental';
  const form = readData(scanner, members, forms, parts);
  // Attributes can be switched off; what is left to judge by is which state of the row is there.
  parts.op = attributes.get('op') ?? (parts.after === null ? 'd' : 'u');
  return { parts, form };
}

/** Attributes by their name in lower case without prefix; of two that differ only in case the lower-case one wins. */
function attributesOf(members: Members): Map<string, string> {
  const attributes = new Map<string, string>();
  for (const name of members.names) {
    const lower = name.toLowerCase();
    if (!lower.startsWith('iodebezium') || (name !== lower && attributes.has(lower.slice(10)))) continue;
    const text = members.text(name);
    if (text !== null) attributes.set(lower.slice(10), text);
  }
  return attributes;
}

function readData(scanner: Scanner, members: Members, forms: Forms, parts: EnvelopeParts): Form {
  const place = members.place('data');
  if (!members.enter('data') || place === null) return forms.bare;
  if (!atObject(scanner)) {
    throw new DecodeProblem(
      'DECODE_UNKNOWN_EVENT',
      'the data of a CloudEvent is not JSON',
      'Set the CloudEvents converter’s `data.serializer.type=json` at the feeder',
    );
  }
  const end = scanner.end;
  scanner.end = place.end;
  const form = forms.open(scanner);
  if (atObject(scanner)) {
    const data = new Members(scanner);
    if (data.isObject('before')) parts.before = form.rows.read(scanner);
    if (data.isObject('after')) parts.after = form.rows.read(scanner);
  }
  scanner.end = end;
  return form;
}
