# Asks a board what it is, and changes nothing. $kept is set before.
tell() { printf 'fathom-deploy %s=%s\n' "$1" "$2"; }
tell machine "$(uname -m)"
tell system "$(sed -n 's/^PRETTY_NAME="\{0,1\}\([^"]*\)"\{0,1\}$/\1/p' /etc/os-release 2>/dev/null)"
tell arch "$(dpkg --print-architecture 2>/dev/null)"
tell glibc "$(getconf GNU_LIBC_VERSION 2>/dev/null | cut -d ' ' -f 2)"
tell systemd "$(systemctl --version 2>/dev/null | sed -n '1s/^systemd \([0-9]*\).*/\1/p')"
installed=$(dpkg-query -W -f '${db:Status-Abbrev} ${Version}' fathom 2>/dev/null | sed -n 's/^ii *//p')
tell installed "$installed"
if [ -f "$kept/packages/fathom_${installed}_$(dpkg --print-architecture 2>/dev/null).deb" ]; then tell package_kept yes; fi
tell bundle "$(basename "$(readlink "$kept/bundle" 2>/dev/null)" 2>/dev/null)"
if [ "$(id -u)" = 0 ]; then
  tell root yes
elif ! command -v sudo >/dev/null 2>&1; then
  tell root no
elif sudo -n true 2>/dev/null; then
  tell root sudo
else
  tell root password
fi
