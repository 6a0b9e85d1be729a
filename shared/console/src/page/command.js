// command.js: a command of the admin function as `cosell` takes it; ../command/copied.json holds these forms.

const POSITIONAL = new Set(['explain', 'look', 'preview', 'relink', 'disconnect']);
/** Flags without a value. */
const FLAGS = new Set(['all', 'delete_data', 'overwrite']);

export function commandText(program, { command, action, sides, ...rest }) {
  const words = [program, command, action].filter(Boolean);
  // The text takes the terminal's place: no question could be answered, so the copied command says yes by itself.
  if (command === 'map' && rest.map !== undefined) return `${words.join(' ')} - --yes <<'TOML'\n${rest.map}\nTOML`;
  if (command === 'map' && rest.version) return [...words, rest.version].join(' ');
  if (POSITIONAL.has(command)) {
    words.push(...[rest.referral ?? rest.record].filter(Boolean).map(shell));
    delete rest.referral;
    delete rest.record;
  }
  for (const [name, value] of Object.entries(rest)) words.push(...option(name, value));
  return words.join(' ');
}

/** With `=`, a value may begin with a hyphen. */
function option(name, value) {
  const flag = `--${name.replaceAll('_', '-')}`;
  if (!FLAGS.has(name)) return [`${flag}=${shell(value)}`];
  return value === true || value === 'yes' ? [flag] : [];
}

function shell(value) {
  const word = String(value);
  return /^[\w./:@+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
