/**
 * Why this Node cannot run Parley, or `undefined` when it can.
 *
 * @param {string} found such as `20.11.1`
 * @param {string} needed alternatives of package.json's `engines`, each `>=20.19` or `^20.19.0`, joined by `||`
 * @returns {string | undefined}
 */
export function nodeProblem(found, needed) {
  if (needed.split('||').some((range) => satisfies(found, range.trim()))) return undefined;
  return (
    `Parley needs Node ${needed}; this is Node ${found}.\n` +
    'Install a current Node (https://nodejs.org, or "nvm install 22"), then run the same command again.'
  );
}

/**
 * @param {string} found
 * @param {string} range
 */
function satisfies(found, range) {
  const floor = range.replace(/^(>=|\^)/, '');
  const sameMajor = found.split('.')[0] === floor.split('.')[0];
  return isAtLeast(found, floor) && (sameMajor || !range.startsWith('^'));
}

/**
 * @param {string} found
 * @param {string} floor
 */
function isAtLeast(found, floor) {
  const [a, b] = [found, floor].map((version) => version.split('.').map(Number));
  for (let i = 0; i < 3; i++) {
    const difference = (a?.[i] ?? 0) - (b?.[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}
