#!/usr/bin/env bash
# Boots an emulated arm64 board with Debian's kernel, installs the package on it
# and tests it there; docs/emulate.md says what.
#
#   scripts/emulate.sh                the test, with ten power cuts
#   scripts/emulate.sh run --cuts 2   fewer of them
#   scripts/emulate.sh shell          a console on the board, and its page at http://127.0.0.1:8080
#
# Takes dist/packages/fathom_*_arm64.deb of this commit, and makes it if it is not there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

die() { echo "emulate: $*" >&2; exit 1; }
need() { command -v "$1" >/dev/null 2>&1 || die "$1 is not installed: run  make deps"; }

need qemu-system-aarch64
need aarch64-linux-gnu-gcc
[[ $(go env GOHOSTARCH) == amd64 ]] || die "the emulated board is tested on x86-64 only; on an arm64 board install the package itself"

# Two at once would work in the same folder; what is started below keeps the lock, too.
mkdir -p .cache/emulate
exec 9>.cache/emulate/lock
flock --nonblock 9 || die "it runs already in this tree, or its emulators do"
image=$(scripts/emulate/image.sh)
release=$(<"$image/release")

# module: builds the kernel module that is the board, if it changed.
module() {
  local key to build headers=$image/headers/usr/src/linux-headers-$release
  key=$(cat scripts/emulate/module/* | sha256sum | cut -c1-12)
  to=$image/fathom_board-$key.ko
  if [[ ! -e $to ]]; then
    build=$(mktemp -d)
    cp scripts/emulate/module/* "$build/"
    make -s -C "$headers" M="$build" ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- CC=aarch64-linux-gnu-gcc \
      DEB_BUILD_ARCH=amd64 DEB_HOST_ARCH=arm64 DEB_HOST_GNU_TYPE=aarch64-linux-gnu modules >&2
    aarch64-linux-gnu-strip --strip-debug -o "$to" "$build/fathom_board.ko"
    rm -rf "$build"
  fi
  cp "$to" "$share/fathom_board.ko"
}

# package: the one of this commit.
package() {
  local deb
  deb=dist/packages/fathom_$(scripts/version.sh)_arm64.deb
  if [[ ! -e $deb || $(scripts/version.sh commit) == *-changed ]]; then
    scripts/dist.sh arm64 >&2
    scripts/package.sh arm64 >&2
  fi
  cp "$deb" "$share/fathom.deb"
  basename "$deb" >"$share/package"
}

share=.cache/emulate/share
rm -rf "$share"
mkdir -p "$share" .cache/emulate/bin
module
package
arm64=(env GOOS=linux GOARCH=arm64 CGO_ENABLED=0)
"${arm64[@]}" go build -trimpath -buildvcs=false -ldflags='-s -w' -o "$share/emulate" ./scripts/emulate
"${arm64[@]}" go test -c -trimpath -tags emulated -ldflags='-s -w' -o "$share/boards.test" ./boards
"${arm64[@]}" go test -c -trimpath -tags emulated -ldflags='-s -w' -o "$share/v4l2.test" ./boards/camera/v4l2
go build -trimpath -o .cache/emulate/bin/emulate ./scripts/emulate
[[ $# -gt 0 ]] || set -- run
exec .cache/emulate/bin/emulate "$1" --image "$image" --share "$share" "${@:2}"
