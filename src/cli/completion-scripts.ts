import type { Command } from 'commander';

/** What a shell needs to know about one command. */
interface CommandWords {
  readonly name: string;
  readonly description: string;
  readonly flags: readonly FlagWords[];
  /** Whether file names follow the command. */
  readonly takesFiles: boolean;
}

interface FlagWords {
  readonly long: string;
  readonly short: string | undefined;
  readonly description: string;
  readonly takesValue: boolean;
  readonly choices: readonly string[];
}

export const SHELLS = ['bash', 'zsh', 'fish', 'powershell'] as const;
export type Shell = (typeof SHELLS)[number];

/** The completion script of a shell for the program's commands, options and their choices. */
export function completionScript(program: Command, shell: Shell): string {
  const commands = program.commands.map(wordsOf);
  return { bash, zsh, fish, powershell }[shell](commands);
}

function wordsOf(command: Command): CommandWords {
  const flags = command
    .createHelp()
    .visibleOptions(command)
    .map((option) => ({
      long: option.long ?? `-${option.short}`,
      short: option.short,
      description: firstSentence(option.description),
      takesValue: option.required || option.optional,
      choices: option.argChoices ?? [],
    }));
  const [argument] = command.registeredArguments;
  const choices = argument?.argChoices;
  const takesFiles = argument !== undefined && choices === undefined;
  return { name: command.name(), description: firstSentence(command.summary()), flags, takesFiles };
}

function firstSentence(text: string): string {
  return text.split(/[.;] |\n/)[0]!.replace(/\.$/, '');
}

function bash(commands: readonly CommandWords[]): string {
  const cases = commands.map(({ name, flags, takesFiles }) => {
    const words = flags.map(({ long }) => long).join(' ');
    const choices = choiceFlags(flags).map(
      (flag) =>
        `      ${flagNames(flag).join('|')}) COMPREPLY=($(compgen -W "${flag.choices.join(' ')}" -- "$word")); return ;;\n`,
    );
    const values = choices.length === 0 ? '' : `    case "$previous" in\n${choices.join('')}    esac\n`;
    const files = takesFiles ? `    [[ $word == -* ]] || { COMPREPLY=($(compgen -f -- "$word")); return; }\n` : '';
    return `  ${name})\n${values}${files}    COMPREPLY=($(compgen -W "${words}" -- "$word"))\n    ;;\n`;
  });
  return `# rdi completion for bash: source this file, or put it into /etc/bash_completion.d/
_rdi() {
  local word=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]}
  if [[ $COMP_CWORD -eq 1 ]]; then
    COMPREPLY=($(compgen -W "${commands.map(({ name }) => name).join(' ')}" -- "$word"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
${cases.join('')}  esac
}
complete -o default -F _rdi rdi
`;
}

function zsh(commands: readonly CommandWords[]): string {
  const names = commands.map(
    ({ name, description }) => `    ${quoted(`${name}:${description.replaceAll(':', '\\:')}`)}\n`,
  );
  const cases = commands.map(({ name, flags, takesFiles }) => {
    const specs = flags.map((flag) => {
      const values = flag.choices.length > 0 ? `(${flag.choices.join(' ')})` : '_files';
      const value = flag.takesValue ? `:value:${values}` : '';
      return quoted(`${flag.long}[${flag.description.replace(/[[\]:]/g, '\\$&')}]${value}`);
    });
    if (takesFiles) specs.push(quoted('*:file:_files'));
    return `    ${name}) _arguments ${specs.join(' ')} ;;\n`;
  });
  return `#compdef rdi
# rdi completion for zsh: put this file as _rdi into a folder of $fpath
_rdi() {
  local -a commands=(
${names.join('')}  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local name=$words[2]
  shift words
  (( CURRENT-- ))
  case $name in
${cases.join('')}  esac
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _rdi "$@"; else compdef _rdi rdi; fi
`;
}

function fish(commands: readonly CommandWords[]): string {
  const lines = ['# rdi completion for fish: put this file into ~/.config/fish/completions/rdi.fish'];
  for (const { name, description, flags, takesFiles } of commands) {
    lines.push(`complete -c rdi -n __fish_use_subcommand -f -a ${name} -d ${quoted(description)}`);
    const within = quoted(`__fish_seen_subcommand_from ${name}`);
    if (!takesFiles) lines.push(`complete -c rdi -n ${within} -f`);
    for (const flag of flags) {
      const short = flag.short === undefined ? '' : ` -s ${flag.short.slice(1)}`;
      const value = flag.choices.length > 0 ? ` -x -a ${quoted(flag.choices.join(' '))}` : flag.takesValue ? ' -r' : '';
      const long = flag.long.slice(2);
      lines.push(`complete -c rdi -n ${within} -l ${long}${short}${value} -d ${quoted(flag.description)}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

function powershell(commands: readonly CommandWords[]): string {
  const list = (words: readonly string[]): string => `@(${words.map((word) => `'${word}'`).join(', ')})`;
  const flags = commands.map((command) => `    '${command.name}' = ${list(command.flags.map(({ long }) => long))}\n`);
  const choices = commands.flatMap((command) =>
    choiceFlags(command.flags).flatMap((flag) =>
      flagNames(flag).map((name) => `    '${command.name} ${name}' = ${list(flag.choices)}\n`),
    ),
  );
  return `# rdi completion for PowerShell: add this to $PROFILE
Register-ArgumentCompleter -Native -CommandName rdi -ScriptBlock {
  param($word, $ast, $position)
  $flags = @{
${flags.join('')}  }
  $choices = @{
${[...new Set(choices)].join('')}  }
  $words = @($ast.CommandElements | ForEach-Object { $_.ToString() })
  $before = if ($word) { $words.Count - 2 } else { $words.Count - 1 }
  $values = if ($before -le 0) { ${list(commands.map(({ name }) => name))} } else { $flags[$words[1]] }
  if ($before -gt 1) {
    $chosen = $choices["$($words[1]) $($words[$before])"]
    if ($chosen) { $values = $chosen }
  }
  $values | Where-Object { $_ -like "$word*" } | ForEach-Object { [System.Management.Automation.CompletionResult]::new($_) }
}
`;
}

function choiceFlags(flags: readonly FlagWords[]): FlagWords[] {
  return flags.filter(({ choices }) => choices.length > 0);
}

function flagNames({ long, short }: FlagWords): string[] {
  return short === undefined ? [long] : [long, short];
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
