import { NumberText } from '../../../types.ts';
import { compileJmespathObject, type ObjectMember } from '../../expressions/jmespath.ts';
import { compileSql } from '../../expressions/sql.ts';
import type { JobValue } from '../../expressions/types.ts';
import { parseJson, typeOf } from '../../expressions/values.ts';
import type { BlockDefinition, CacheSettings, CompiledExpression, MapFields } from '../definition.ts';
import {
  compile,
  compiling,
  type Language,
  readCache,
  readLanguage,
  textOfExpression,
  withText,
} from './expression.ts';
import { type Reading, warnOfUnreachable } from './reading.ts';
import { isMapping, type Path, type Section } from './section.ts';

type Field = MapFields['fields'][number];

/** A map is read in four forms: text or object, in either language. Source: specification of jobs, section 6. */
export function readMap(reading: Reading, block: Section): BlockDefinition | null {
  const mapping = new MapReader(reading, block).read();
  const names = mapping === null || !('fields' in mapping) ? null : mapping.fields.map(({ name }) => name);
  reading.fields.replace(names, block.title);
  return mapping === null ? null : { uses: 'map', step: block.title, mapping };
}

class MapReader {
  readonly #reading: Reading;
  readonly #block: Section;
  readonly #path: Path;
  readonly #cache: CacheSettings | null;

  constructor(reading: Reading, block: Section) {
    this.#reading = reading;
    this.#block = block;
    this.#path = block.at('expression');
    this.#cache = readCache(block, 'cache');
  }

  read(): MapFields | CompiledExpression | null {
    const block = this.#block;
    const language = readLanguage(block);
    const content = block.value('expression');
    if (isMapping(content)) return language === null ? null : this.#object(content, language, this.#path);
    if (typeof content !== 'string' || content.trim() === '') {
      return block.wrong('expression', 'the text of an expression, or a map with an expression for each field');
    }
    if (language === null) return null;
    return language === 'sql' ? this.#sqlText(content) : this.#jmespathText(content);
  }

  /** Field by field as YAML. In JMESPath fields may be nested. */
  #object(content: Readonly<Record<string, unknown>>, language: Language, path: Path): MapFields | null {
    const names = Object.keys(content);
    if (names.length === 0) return this.#problem(path, 'a map needs at least one field');
    const fields = names.map((name) => this.#field(name, content[name], language, [...path, name]));
    return fields.includes(null) ? null : { fields: fields as Field[] };
  }

  #field(name: string, value: unknown, language: Language, path: Path): Field | null {
    if (isMapping(value)) {
      if (language === 'sql') return this.#problem(path, `\`${name}\` is an object; a map in SQL has one level only`);
      const nested = this.#object(value, language, path);
      return nested === null ? null : { name, value: nested };
    }
    const text = textOfExpression(value);
    if (text === null) return this.#problem(path, `\`${name}\` needs the text of an expression${quotesFor(value)}`);
    const expression = compile(this.#block, path, text, language);
    if (expression === null) return null;
    return { name, value: this.#withText(expression, text, language, path) };
  }

  /** SQL has no objects, so as text it is a JSON object with an expression for each field. */
  #sqlText(text: string): MapFields | null {
    const object = jsonOrNull(text);
    if (!(object instanceof Map)) {
      const advice = 'a map in SQL is an object: write a field and its expression on each line';
      return this.#problem(this.#path, `one expression of SQL gives one value, and ${advice}`);
    }
    if (object.size === 0) return this.#problem(this.#path, 'a map needs at least one field');
    const fields = [...object].map(([name, value]) => this.#sqlMember(name, value));
    return fields.includes(null) ? null : { fields: fields as Field[] };
  }

  #sqlMember(name: string, value: JobValue): Field | null {
    const type = typeOf(value);
    if (type === 'object' || type === 'array' || value === null || value === '') {
      return this.#problem(this.#path, `\`${name}\` needs the text of an expression; a map in SQL has one level only`);
    }
    const text = value instanceof NumberText ? value.text : String(value);
    const expression = compiling(this.#block, this.#path, 'sql', () => compileSql(text));
    return expression === null ? null : { name, value: this.#withText(expression, text, 'sql', this.#path) };
  }

  #jmespathText(text: string): MapFields | CompiledExpression | null {
    // A problem of the syntax leaves undefined behind, so that it is not told from two sides.
    const object = compiling(this.#block, this.#path, 'jmespath', () => compileJmespathObject(text) ?? false);
    if (object === null) return null;
    if (object === false) {
      const advice = 'begin it with { and end it with }, or take one that gives an object, such as merge(@, {…})';
      return this.#problem(this.#path, `the expression of a map gives the whole new row, so ${advice}`);
    }
    if (Array.isArray(object)) return this.#members(object as readonly ObjectMember[]);
    return this.#withText(object as CompiledExpression, text, 'jmespath', this.#path);
  }

  #members(members: readonly ObjectMember[]): MapFields {
    return {
      fields: members.map(({ name, text, value }) => ({
        name,
        value: 'evaluate' in value ? this.#withText(value, text, 'jmespath', this.#path) : this.#members(value),
      })),
    };
  }

  #withText(
    expression: Parameters<typeof withText>[1],
    text: string,
    language: Language,
    path: Path,
  ): CompiledExpression {
    const compiled = withText(this.#block, expression, text, language, this.#cache);
    warnOfUnreachable(this.#reading, this.#block, path, compiled);
    return compiled;
  }

  #problem(path: Path, message: string): null {
    this.#reading.findings.problem(path, this.#block.told(message));
    return null;
  }
}

function quotesFor(value: unknown): string {
  return value === null ? '; null stands in quotes' : '';
}

function jsonOrNull(text: string): JobValue {
  try {
    return parseJson(text);
  } catch {
    return null;
  }
}
