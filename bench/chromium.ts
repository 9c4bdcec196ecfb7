/** Chromium of the system: where it is, how to get it, how it is started to be driven by a program. */

/** Where Debian's package puts it. */
export const usualChromium = '/usr/bin/chromium';

export const howToInstall = 'apt-get install -y --no-install-recommends chromium fonts-dejavu-core';

/** No sandbox, since root may not have one; what the browser does for itself would take turns from everybody. */
export const chromiumArgs = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
