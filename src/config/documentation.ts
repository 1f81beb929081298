import { z } from 'zod';
import { type Field, fieldOf, unwrap } from './declare.ts';
import { INSTANCE_OPTIONS } from './instance-options.ts';
import { jsonSchemaOf } from './json-schema.ts';
import { instanceSchema } from './schema-instance.ts';
import { pipelineSchema, SMALLEST_PIPELINE } from './schema-pipeline.ts';
import { formatPath } from './validate.ts';

/** The reference of the configuration and the schemas for editors, both from the declarations. Used by scripts/generate.ts. */

/** JSON Schemas of `config.yaml` and `rdi.yaml`. */
export function configSchemas(): { pipeline: object; instance: object } {
  return {
    pipeline: jsonSchemaOf(pipelineSchema, 'config.yaml of rdi'),
    instance: jsonSchemaOf(instanceSchema, 'rdi.yaml'),
  };
}

/** The text of `docs/config.md`. */
export function configDocumentation(): string {
  return [
    INTRODUCTION,
    PIPELINE,
    ...sections(pipelineSchema, []),
    INSTANCE,
    ...sections(instanceSchema, []),
    flags(),
  ].join('\n\n');
}

const VARIABLE = ['$', '{NAME}'].join('');

const INTRODUCTION = `# Configuration

rdi reads two files, and needs neither: \`rdi run --target redis://127.0.0.1:6379\` starts without any.

* **The pipeline**, \`config.yaml\` in a folder given with \`--dir\`: where rows go and how. The format is that of Redis Data
  Integration; a folder made for RDI works unchanged. \`jobs/*.yaml\` beside it say what becomes of the rows of single tables.
* **The instance**, \`rdi.yaml\` in the same folder or given with \`--instance\`: what one process needs to know besides. Every
  value is a flag and a variable, too; the flag is stronger than the variable, the variable stronger than the file.

\`rdi validate --dir <folder>\` checks the pipeline and shows all problems at once, as \`file:line:column: message\`. An unknown key is an error.

Editors with a YAML language server complete and check these files with
\`# yaml-language-server: $schema=<path>/docs/config.schema.json\` (or \`instance.schema.json\`, or \`job.schema.json\` for a job) in
their first line.

## Variables and secrets

\`${VARIABLE}\` in a value stands for a secret or a variable of the environment; [secrets.md](secrets.md) says where secrets come from.
It may be a part of a text, or the whole value also where a number, a boolean or one of some words is expected. A name without a
value is an error that says so; only in a section that rdi does not use (\`sources\`) it may be missing. \`$${VARIABLE}\` is the literal text \`${VARIABLE}\`. The forms of 2023, \`\${env:NAME}\`,
\`\${file:PATH}\`, \`\${file:PATH:PROPERTY}\` and \`\${secrets:NAME}\`, still work and give a notice.

Values marked **secret** never appear in logs, messages or pages; where a file refers to them, the reference is shown.
Certificates and keys are given as paths of PEM files, relative to the file that names them; a placeholder may also bring the PEM
text itself. They are read at the start, and again when they change.`;

const PIPELINE = `## Pipeline: \`config.yaml\`

The smallest one:

\`\`\`yaml
${SMALLEST_PIPELINE}\`\`\`

An empty file is valid, too (a cleared pipeline), but nothing runs without a target named \`target\`.

For the same setting \`processors.advanced.<group>\` is stronger than \`processors.<property>\`, and that is stronger than the default.
Marks: **secret**; **+** goes beyond RDI, a file that uses it works only with rdi; **–** is accepted without effect, with the reason.`;

const INSTANCE = `## Instance: \`rdi.yaml\`

Everything is optional. Sizes: \`kb\`, \`mb\`, \`gb\`, \`tb\` count in 1024, \`k\`, \`m\`, \`g\`, \`t\` in 1000. A relative path in the file starts
at the folder of the file, one in a flag or variable where rdi was started.

Listening on anything but this machine needs a user (\`endpoint.users\`, or \`--user\` and \`--password\`) or required client certificates;
otherwise anybody could write to the target. \`accept_unauthenticated_connections_from_the_network: true\` allows it all the same.
The same holds for HTTP: without \`http.user\` and \`http.password\` (or \`http.token\`) it is served on this machine only, unless
\`http.allow_unauthenticated: true\` says otherwise.`;

/** A section with a table per map, in the order of the declaration. */
function sections(schema: z.ZodType, path: readonly string[]): string[] {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodRecord) return sections(inner.valueType as z.ZodType, [...path, '<id>']);
  if (inner instanceof z.ZodArray) return sections(inner.element as z.ZodType, [...path, '[]']);
  if (inner instanceof z.ZodDiscriminatedUnion)
    return (inner.options as z.ZodType[]).flatMap((option) => alternative(option, path));
  if (!(inner instanceof z.ZodObject)) return [];
  const members = Object.entries(inner.shape as Record<string, z.ZodType>);
  const table = members.length === 0 ? [] : [section(schema, path, members)];
  return [...table, ...members.flatMap(([key, member]) => sections(member, [...path, key]))];
}

function alternative(option: z.ZodType, path: readonly string[]): string[] {
  const members = Object.entries((unwrap(option) as z.ZodObject).shape as Record<string, z.ZodType>);
  return [section(option, path, members), ...members.flatMap(([key, member]) => sections(member, [...path, key]))];
}

function section(schema: z.ZodType, path: readonly string[], members: [string, z.ZodType][]): string {
  const title = path.length === 0 ? 'Top level' : `\`${formatPath(path)}\``;
  const rows = members.map(([key, member]) => row(key, member));
  const { description } = fieldOf(schema);
  return [
    `### ${title}`,
    '',
    description,
    '',
    '| key | value | default | meaning |',
    '|---|---|---|---|',
    ...rows,
  ].join('\n');
}

function row(key: string, schema: z.ZodType): string {
  const field = fieldOf(schema);
  const required = schema.safeParse(undefined).success ? '' : ' (required)';
  const fallback = field.default === undefined ? '' : `\`${field.default}\``;
  return `| \`${key}\` | ${cell((field.expects ?? 'a map') + required)} | ${fallback} | ${cell(meaning(field))} |`;
}

function meaning(field: Field): string {
  return [
    field.secret === true ? '**secret**' : '',
    field.beyondRdi === true ? '**+**' : '',
    field.description,
    field.alias === undefined ? '' : `Overrides \`${field.alias}\`.`,
    field.noEffect === undefined ? '' : `**–** ${field.noEffect}.`,
    field.deprecated === undefined ? '' : `Out of date and without effect: ${field.deprecated}.`,
    field.example === undefined ? '' : `Example: \`${field.example}\`.`,
  ]
    .filter((part) => part !== '')
    .join(' ');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

function flags(): string {
  const rows = INSTANCE_OPTIONS.map(({ path, flag, variable, kind, placeholder }) => {
    const value = kind === 'switch' ? '' : ` <${placeholder}>`;
    return `| \`${path.join('.')}\` | \`${cell(`--${flag}${value}`)}\` | \`${variable}\` |`;
  });
  return ['### Flags and variables', '', '| key in `rdi.yaml` | flag | variable |', '|---|---|---|', ...rows, ''].join(
    '\n',
  );
}
