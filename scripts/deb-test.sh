#!/usr/bin/env bash
# Installs, upgrades, removes and purges a package with dpkg in a minimal Debian
# of its own, and compares what is left with what was there before:
#
#   scripts/deb-test.sh PACKAGE.deb [ROOT]
#
# As root. ROOT is a Debian that mmdebstrap made (minbase with libstdc++6, passwd
# and systemd); one is made in .cache/ unless given. Packages of another
# architecture need qemu-user registered with the kernel. Nothing outside ROOT is
# touched.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

die() { echo "deb-test: $*" >&2; exit 1; }

[[ $# -ge 1 ]] || die "usage: scripts/deb-test.sh PACKAGE.deb [ROOT]"
deb=$1
arch=$(dpkg-deb -f "$deb" Architecture) || die "$deb is no package"
root=${2:-$PWD/.cache/debian-$arch}
[[ $(id -u) -eq 0 ]] || die "needs root, for chroot"
if [[ ! -x $root/usr/bin/dpkg ]]; then
  command -v mmdebstrap >/dev/null 2>&1 || die "mmdebstrap is not installed: run  sudo apt-get install --no-install-recommends mmdebstrap"
  mmdebstrap --variant=minbase --architectures="$arch" --include=libstdc++6,passwd,systemd bookworm "$root"
fi

in_root() { chroot "$root" env DEBIAN_FRONTEND=noninteractive LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"; }

# state lists what a package may leave behind.
state() {
  in_root sh -c 'getent passwd; getent group; find /etc /usr /lib /var/lib /var/log -xdev \( -path /var/lib/dpkg -o -path "/etc/*-" -o -name "*.log" -o -path /var/lib/systemd \) -prune -o -print' | sort
}

expect() { # expect WHAT COMMAND...
  local what=$1
  shift
  in_root "$@" >"$work/log" 2>&1 || { cat "$work/log" >&2; die "$what: failed"; }
  echo "deb-test: $what"
}

work=$(mktemp -d)
mount -t proc proc "$root/proc" # the linker asks it where a program lies
trap 'umount "$root/proc"; rm -rf "$work" "$root/tmp/fathom.deb" "$root/tmp/newer.deb"' EXIT
in_root dpkg --purge fathom >/dev/null 2>&1 || true
# The groups i2c and gpio belong to the system, and stay.
in_root sh -c 'for g in i2c gpio; do getent group $g >/dev/null || groupadd --system $g; done'
state >"$work/before"

cp "$deb" "$root/tmp/fathom.deb"
# The same package with a higher version and another default configuration: an upgrade.
dpkg-deb -R "$deb" "$work/newer"
sed -i 's/^Version: .*/Version: 99.0/' "$work/newer/DEBIAN/control"
echo '# a new default' >>"$work/newer/etc/fathom/fathomd.yaml"
dpkg-deb -Znone --root-owner-group -b "$work/newer" "$root/tmp/newer.deb" >/dev/null

expect "installs" dpkg -i /tmp/fathom.deb
expect "runs: fathom" fathom --version
expect "runs: fathomd" fathomd --version
expect "the configuration is fine" fathomd check-config
expect "the demo bundle loads" fathom verify /usr/share/fathom/bundles/demo --no-run
expect "user and groups" sh -c 'id fathom && id -nG fathom | grep -qw video && id -nG fathom | grep -qw i2c'
expect "configuration is not for everyone" sh -c '[ "$(stat -c "%a %G" /etc/fathom/fathomd.yaml)" = "640 fathom" ]'
expect "starts at boot" sh -c '[ -L /etc/systemd/system/multi-user.target.wants/fathomd.service ]'
in_root sh -c 'echo "target_rate: 2" >>/etc/fathom/fathomd.yaml'
in_root systemctl --quiet disable fathomd
expect "upgrades" dpkg --force-confold -i /tmp/newer.deb
expect "keeps the configuration" grep -q "target_rate: 2" /etc/fathom/fathomd.yaml
expect "stays disabled" sh -c '! [ -L /etc/systemd/system/multi-user.target.wants/fathomd.service ]'
in_root systemctl --quiet enable fathomd
expect "removes" dpkg -r fathom
expect "keeps the configuration after removal" grep -q "target_rate: 2" /etc/fathom/fathomd.yaml
expect "leaves no program" sh -c '! [ -e /usr/bin/fathomd ] && ! [ -e /usr/lib/fathom ]'
expect "installs again" dpkg --force-confold -i /tmp/fathom.deb
expect "starts at boot again" sh -c '[ -L /etc/systemd/system/multi-user.target.wants/fathomd.service ]'
expect "purges" dpkg --purge fathom
state >"$work/after"
diff "$work/before" "$work/after" >"$work/diff" || { cat "$work/diff" >&2; die "something is left, or lost, after purging"; }
echo "deb-test: nothing is left"
