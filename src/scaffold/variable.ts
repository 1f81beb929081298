/** How a file refers to a variable of the environment; rdi and Debezium Server read it alike. */
export function variable(name: string): string {
  return `\${${name}}`;
}

/** User and password of the source, by RDI's names for them. */
export const USER = variable('SOURCE_DB_USERNAME');
export const PASSWORD = variable('SOURCE_DB_PASSWORD');
