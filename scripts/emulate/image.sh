#!/usr/bin/env bash
# Makes the emulated board in .cache/emulate/: Debian's arm64 kernel, a small
# Debian with systemd, udev and a broker, and what a kernel module is built with:
#
#   scripts/emulate/image.sh       prints the folder; does nothing if it is there
#
# The folder holds vmlinuz, initrd, root.img (ext4 with a journal), headers/ and
# release (the kernel's). It is made anew when this script or what it puts into
# the image changes. Needs Debian or a relative, x86-64, and root to make it.
#
# The board gets the release of Debian that this machine has. Packages are unpacked here and configured on the emulated board itself, so that
# nothing for arm64 has to run on this machine.
set -euo pipefail

SIZE=600M

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
here=$root/scripts/emulate
key=$(cat "$here/image.sh" "$here"/image/* | sha256sum | cut -c1-12)
suite=$(. /etc/os-release && echo "$ID-${VERSION_CODENAME:-unknown}")
out=$root/.cache/emulate/$suite-$key
work=$out.part

die() { echo "emulate: $*" >&2; exit 1; }
say() { echo "emulate: $*" >&2; }
need() { command -v "$1" >/dev/null 2>&1 || die "$1 is not installed: run  sudo apt-get install --no-install-recommends $2"; }

# again COMMAND...: networks fail now and then.
again() {
  local try
  for try in 1 2 3; do
    "$@" && return
    say "'$1' failed (try $try of 3)"
    sleep $((try * 5))
  done
  die "'$*' failed: check the network, and that this system's sources of apt have arm64 packages, too"
}

# configure_apt: lists and packages of its own, of both architectures, from where
# this system has its packages from.
configure_apt() {
  mkdir -p "$work"/apt/{lists/partial,cache/archives/partial,preferences.d} "$work/debs"
  touch "$work/apt/status"
  cat >"$work/apt/apt.conf" <<CONF
APT::Architecture "arm64";
APT::Architectures { "arm64"; "$host"; };
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Dir::State "$work/apt";
Dir::State::status "$work/apt/status";
Dir::State::Lists "$work/apt/lists";
Dir::Cache "$work/apt/cache";
Dir::Etc::preferencesparts "$work/apt/preferences.d";
Debug::NoLocking "true";
CONF
  export APT_CONFIG=$work/apt/apt.conf
}

# fetch PACKAGE...: into debs/.
fetch() { (cd "$work/debs" && again apt-get -qq download "$@"); }

# unpack DIR PACKAGE...
unpack() {
  local to=$1 package
  shift
  mkdir -p "$to"
  for package in "$@"; do
    dpkg-deb -x "$work/debs/${package%:*}"_*.deb "$to"
  done
}

# unpack_root PACKAGE.deb...: a root in which all packages are unpacked and none is configured.
unpack_root() {
  local to=$work/rootfs deb info=$work/rootfs/var/lib/dpkg/info name control file
  mkdir -p "$to"/usr/{bin,sbin,lib} "$info" "$to"/var/lib/dpkg/{updates,triggers,alternatives,parts}
  for file in bin sbin lib; do
    ln -s "usr/$file" "$to/$file"
  done
  : >"$to/var/lib/dpkg/available"
  echo arm64 >"$to/var/lib/dpkg/arch"
  for deb in "$@"; do
    dpkg-deb --fsys-tarfile "$deb" | tar -x -p --numeric-owner --keep-directory-symlink --exclude='./usr/share/doc/*' --exclude='./usr/share/man/*' --exclude='./usr/share/locale/*' -C "$to"
    control=$work/control
    rm -rf "$control"
    dpkg-deb -e "$deb" "$control"
    name=$(dpkg-deb -f "$deb" Package)
    [[ $(dpkg-deb -f "$deb" Multi-Arch) != same ]] || name+=:arm64
    dpkg-deb --fsys-tarfile "$deb" | tar -t | sed -e 's|^\.||' -e 's|/$||' -e 's|^$|/.|' >"$info/$name.list"
    for file in "$control"/*; do
      case ${file##*/} in
        control) ;;
        *) cp "$file" "$info/$name.${file##*/}" ;;
      esac
    done
    # Configuration files are in place already, as they came.
    awk '{print} /^Package:/ {print "Status: install ok unpacked"}' "$control/control" >>"$to/var/lib/dpkg/status"
    if [[ -e $control/conffiles ]]; then
      echo "Conffiles:" >>"$to/var/lib/dpkg/status"
      while read -r file; do
        echo " $file $(md5sum "$to$file" | cut -d' ' -f1)" >>"$to/var/lib/dpkg/status"
      done <"$control/conffiles"
    fi
    echo >>"$to/var/lib/dpkg/status"
  done
  printf '#!/bin/sh\nexit 101\n' >"$to/usr/sbin/policy-rc.d" # nothing is started meanwhile
  chmod +x "$to/usr/sbin/policy-rc.d"
}

# configure_root boots the board to configure its packages.
configure_root() {
  timeout 3600 qemu-system-aarch64 -M virt -cpu cortex-a72 -accel tcg,thread=multi -m 768 -smp 2 \
    -kernel "$work/vmlinuz" -initrd "$work/initrd" -append "console=ttyAMA0 quiet panic=-1 emulate=configure" \
    -drive "file=$work/root.img,format=raw,if=virtio,cache=unsafe" -nic none -nographic -no-reboot </dev/null >"$work/configure.log" 2>&1 || true
  if ! grep -q "EMULATE: configured" "$work/configure.log"; then
    tail -30 "$work/configure.log" >&2
    die "the packages could not be configured; see above, and $work/configure.log"
  fi
}

# copy_modules TO NAME...: copies kernel modules and what they need into a folder.
copy_modules() {
  local to=$1 file
  shift
  modprobe -d "$work/kernel" -S "$release" -a --show-depends "$@" | awk '$1 == "insmod" {print $2}' | sort -u >"$work/modules"
  while IFS= read -r file; do
    install -D -m 0644 "$file" "$to/lib/modules/$release/${file#*"/$release/"}"
  done <"$work/modules"
  cp "$work/kernel/lib/modules/$release"/modules.{order,builtin,builtin.modinfo} "$to/lib/modules/$release/"
  depmod -b "$to" "$release"
}

make_initrd() {
  local to=$work/initramfs
  mkdir -p "$to"/{bin,proc,sys,dev,root}
  cp "$work/busybox/bin/busybox" "$to/bin/"
  copy_modules "$to" virtio_pci virtio_blk ext4 crc32c_generic
  install -m 0755 "$here/image/init" "$to/init"
  (cd "$to" && find . | LC_ALL=C sort | cpio --quiet -o -H newc -R 0:0) | gzip -9n >"$work/initrd"
}

if [[ -e $out/complete ]]; then
  echo "$out"
  exit
fi

host=$(dpkg --print-architecture 2>/dev/null) || die "needs Debian or a relative"
[[ $host == amd64 ]] || die "the board's image is made on x86-64 only"
[[ $(id -u) -eq 0 ]] || die "making the image needs root: run  sudo scripts/emulate/image.sh  once"
need qemu-system-aarch64 qemu-system-arm
need mke2fs e2fsprogs
need cpio cpio
need modprobe kmod

rm -rf "$work"
mkdir -p "$work"
configure_apt
say "fetching the kernel"
again apt-get -qq update
release=$(apt-cache depends linux-image-arm64 | sed -n 's/^ *Depends: linux-image-//p' | head -1)
[[ -n $release ]] || die "linux-image-arm64 names no kernel"
packages=("linux-image-$release" "linux-headers-$release" "linux-headers-${release%-arm64}-common" "linux-kbuild-${release%%.0-*}:$host" busybox-static)
fetch "${packages[@]}"
unpack "$work/kernel" "${packages[0]}"
unpack "$work/headers" "${packages[@]:1:3}"
unpack "$work/busybox" busybox-static
sed -i "s|include /usr/src/|include \$(dir \$(lastword \$(MAKEFILE_LIST)))../|" "$work/headers/usr/src/linux-headers-$release/Makefile"
[[ -e $work/kernel/lib/modules/$release/modules.dep ]] || depmod -b "$work/kernel" "$release"

say "fetching Debian's packages"
mapfile -t essential < <(apt-cache dumpavail | awk -v other="$host" '
  /^Package:/ {name = $2} /^Architecture:/ {arch = $2} /^Essential: yes/ {essential = 1}
  /^$/ {if (essential && arch != other) print name; essential = 0}')
again apt-get -qq --yes --no-install-recommends --download-only install "${essential[@]}" \
  usr-is-merged usrmerge- systemd-sysv udev kmod mosquitto mosquitto-clients libstdc++6 passwd
unset APT_CONFIG
unpack_root "$work"/apt/cache/archives/*.deb

copy_modules "$work/rootfs/usr" vivid i2c-dev 9pnet_virtio 9p virtio_net
install -D -m 0755 "$work/busybox/bin/busybox" "$work/rootfs/usr/bin/busybox"
install -m 0644 "$here"/image/*.service "$work/rootfs/etc/systemd/system/"
install -m 0755 "$here/image/board" "$work/rootfs/usr/sbin/emulated-board"
mkdir -p "$work/rootfs/etc/systemd/system/multi-user.target.wants"
for unit in "$here"/image/*.service; do
  ln -s "../$(basename "$unit")" "$work/rootfs/etc/systemd/system/multi-user.target.wants/"
done
# What a board that is only tested does not need, and an emulator starts slowly.
for unit in getty.target modprobe@.service remote-fs.target {dev-hugepages,dev-mqueue,sys-kernel-debug,sys-kernel-tracing}.mount \
  proc-sys-fs-binfmt_misc.automount {fstrim,dpkg-db-backup,systemd-tmpfiles-clean}.timer systemd-ask-password-{console,wall}.path systemd-initctl.socket \
  kmod-static-nodes.service systemd-{journal-flush,modules-load,pstore,random-seed,remount-fs,sysusers,update-utmp,update-utmp-runlevel,user-sessions}.service; do
  ln -s /dev/null "$work/rootfs/etc/systemd/system/$unit"
done
mkdir -p "$work/rootfs/etc/systemd/system-generators" "$work/rootfs/etc/systemd/system/systemd-udev-trigger.service.d"
for generator in "$work"/rootfs/usr/lib/systemd/system-generators/*; do
  [[ $generator == */systemd-debug-generator ]] || # it reads systemd.wants
    ln -s /dev/null "$work/rootfs/etc/systemd/system-generators/${generator##*/}"
done
# Camera and sensors come after udev. Of what is there before, it is told of the console only.
printf '[Service]\nExecStart=\nExecStart=udevadm trigger --action=add --sysname-match=ttyAMA0\n' >"$work/rootfs/etc/systemd/system/systemd-udev-trigger.service.d/console.conf"
# Whoever has the console is root there; the shell asks for it.
mkdir -p "$work/rootfs/etc/systemd/system/serial-getty@ttyAMA0.service.d"
printf '[Service]\nExecStart=\nExecStart=-/sbin/agetty --autologin root %%%%I linux\n' >"$work/rootfs/etc/systemd/system/serial-getty@ttyAMA0.service.d/autologin.conf"
echo board >"$work/rootfs/etc/hostname"
: >"$work/rootfs/etc/machine-id"

mke2fs -q -t ext4 -d "$work/rootfs" "$work/root.img" "$SIZE" >/dev/null 2>&1 || die "mke2fs could not make a disk of $SIZE (is there room in .cache?)"
make_initrd
cp "$work/kernel/boot/vmlinuz-$release" "$work/vmlinuz"
say "configuring them on the board (a minute or two)"
configure_root
echo "$release" >"$work/release"
rm -rf "$work"/{apt,debs,kernel,rootfs,control,initramfs,busybox,modules}
touch "$work/complete"
# Images of older recipes are of no use.
find "$root/.cache/emulate" -mindepth 1 -maxdepth 1 -name "$suite-*" ! -path "$work" -exec rm -rf {} +
mv -T "$work" "$out"
say "$out is ready"
echo "$out"
