/** What CHANGELOG.md has to say of a version. The form is that of https://keepachangelog.com/en/1.1.0/ */

/** @returns what is missing of the entry of a version; nothing where it is there, dated, and not empty */
export function changelogFaults(changelog: string, version: string): string[] {
  const sections = changelog.split(/^## /m).slice(1);
  const entry = sections.find((section) => section.startsWith(`[${version}]`));
  if (entry === undefined) return [`CHANGELOG.md has no entry '## [${version}] - YYYY-MM-DD'`];
  const [head = '', ...lines] = entry.split('\n');
  const date = head.slice(`[${version}]`.length).replace(/^ - /, '');
  const faults = isDate(date) ? [] : [`CHANGELOG.md: the entry of ${version} has no date YYYY-MM-DD: '## ${head}'`];
  return lines.some((line) => line.startsWith('- ')) ? faults : [...faults, `CHANGELOG.md: the entry of ${version} says nothing`];
}

function isDate(text: string): boolean {
  return /^\d{4}-\d\d-\d\d$/.test(text) && new Date(text).toJSON()?.startsWith(text) === true;
}
