const PLACEHOLDERS = ['{server_name}', '{db}', '{schema}', '{table}', '{key}'];

/** Whether default keys can be made of a template: `{key}` must be in it, and nothing else in braces but what is known. */
export function isKeyTemplate(template: string): boolean {
  const braces: readonly string[] = template.match(/\{[^{}]*\}/g) ?? [];
  const rest = template.replaceAll(/\{[^{}]*\}/g, '');
  return braces.includes('{key}') && braces.every((name) => PLACEHOLDERS.includes(name)) && !/[{}]/.test(rest);
}
