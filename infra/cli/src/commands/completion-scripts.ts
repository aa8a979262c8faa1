/** What may follow the commands given so far: more commands and options, and what an option takes. */
export type Words = Readonly<{ next: readonly string[]; values: Readonly<Record<string, readonly string[]>> }>;

/**
 * @param paths what may follow, by the words of a command without `plctl`
 * @param values what an option takes, by that and the option
 */
export type Script = (
  paths: readonly (readonly [string, Words])[],
  values: readonly (readonly [string, readonly string[]])[],
) => string;

const keyed = (key: string): string => `plctl${key && ` ${key}`}`;
const words = (paths: Parameters<Script>[0]) => paths.map(([path, { next }]) => [path, next] as const);

/** Options that take a file or a directory. */
const OF_FILES = ['-f', '--file', '--config', '--data-dir'];

const bashEntries = (all: readonly (readonly [string, readonly string[]])[]): string =>
  all.map(([key, each]) => `  ["${keyed(key)}"]="${each.join(' ')}"`).join('\n');

/** `path` is made of those words that are commands: what options take is none. */
export const bashScript: Script = (paths, values) => `typeset -A _plctl_words=(
${bashEntries(words(paths))}
)
typeset -A _plctl_values=(
${bashEntries(values)}
)
_plctl() {
  local path=plctl at word
  for ((at = 1; at < COMP_CWORD; at++)); do
    word=\${COMP_WORDS[at]}
    [[ $word != -* && " \${_plctl_words[$path]} " == *" $word "* ]] && path="$path $word"
  done
  [[ " ${OF_FILES.join(' ')} " == *" \${COMP_WORDS[COMP_CWORD - 1]} "* ]] && return
  local words=\${_plctl_values["$path \${COMP_WORDS[COMP_CWORD - 1]}"]:-\${_plctl_words[$path]}}
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _plctl plctl
`;

const zshEntries = (all: readonly (readonly [string, readonly string[]])[]): string =>
  all.map(([key, each]) => `  '${keyed(key)}' '${each.join(' ')}'`).join('\n');

/** In zsh \`path\` is the search path: the command has another name. */
export const zshScript: Script = (paths, values) => `#compdef plctl
typeset -gA _plctl_words=(
${zshEntries(words(paths))}
)
typeset -gA _plctl_values=(
${zshEntries(values)}
)
_plctl() {
  local command=plctl word
  for word in \${words[2,CURRENT-1]}; do
    [[ $word != -* && " \${_plctl_words[$command]} " == *" $word "* ]] && command="$command $word"
  done
  if [[ \${words[CURRENT-1]} == (${OF_FILES.join('|')}) ]]; then
    _files
    return
  fi
  local option="$command \${words[CURRENT-1]}"
  compadd -- \${=_plctl_values[$option]:-\${_plctl_words[$command]}}
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }
compdef _plctl plctl
`;

const fishCases = (all: readonly (readonly [string, readonly string[]])[]): string =>
  all.map(([key, each]) => `    case '${keyed(key)}'\n      printf '%s\\n' ${each.join(' ')}`).join('\n');

/** A case of \`printf\` without words would print an empty one: what takes nothing has none. */
export const fishScript: Script = (paths, values) => `function __plctl_words
  switch "$argv"
${fishCases(words(paths).filter(([, each]) => each.length > 0))}
  end
end
function __plctl_values
  switch "$argv"
${fishCases(values.filter(([, each]) => each.length > 0))}
  end
end
function __plctl_candidates
  set -l given (commandline -opc)
  set -l command plctl
  for word in $given[2..]
    string match -q -- '-*' $word; and continue
    contains -- $word (__plctl_words $command); and set command "$command $word"
  end
  set -l offered (__plctl_values "$command $given[-1]")
  test (count $offered) -gt 0; or set offered (__plctl_words $command)
  printf '%s\\n' $offered
end
function __plctl_wants_file
  contains -- (commandline -opc)[-1] ${OF_FILES.join(' ')}
end
complete -c plctl -f
complete -c plctl -n 'not __plctl_wants_file' -a '(__plctl_candidates)'
complete -c plctl -n __plctl_wants_file -F
`;
