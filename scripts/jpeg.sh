#!/usr/bin/env bash
# Gets libjpeg-turbo as a static library into native/jpeg_linux_{amd64,arm64}:
#
#   scripts/jpeg.sh amd64|arm64...              for a build of one's own, if it can be had
#   scripts/jpeg.sh --required amd64|arm64...   for a release: fails if it cannot be had
#
# It comes from Debian 12's package libturbojpeg0-dev, pinned by SHA-256, through apt
# as it is set up here, of which only the lists are kept apart; nothing is installed.
# The lists must be those of Debian 12; on another system, copy native/jpeg_linux_ARCH
# from one that has them. Without the library JPEGs are decoded by image/jpeg, which the
# build says once; remove native/jpeg_linux_ARCH.missing to try again.
set -euo pipefail

PACKAGE=libturbojpeg0-dev
declare -A LIBRARY_SHA256=(
  [amd64]=cd721a8f9015df4a750b2b194b952445762c63a8ecbabd4c1b03dd3f860e2a5d
  [arm64]=f580bea415fe4e8ba8095aeb1a543073771ce333bc48755a7bba5602c4f060cc
)

cd "$(dirname "${BASH_SOURCE[0]}")/.."

pinned() { echo "${LIBRARY_SHA256[$1]}  $2/lib/libturbojpeg.a" | sha256sum --check --status 2>/dev/null; }

# fetch ARCH DIR: unpacks the package of another architecture, too, without touching this system's apt.
fetch() {
  local apt=(-qq -o Acquire::Retries=3 -o "APT::Architecture=$1" -o "APT::Architectures::=$1" -o "Dir::State::lists=$2/lists" -o "Dir::Cache=$2/cache"
    -o Dir::State::status=/dev/null -o APT::Sandbox::User=root)
  command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || return 1
  mkdir -p "$2/lists/partial" "$2/cache/archives/partial"
  (cd "$2" && apt-get "${apt[@]}" update && apt-get "${apt[@]}" download $PACKAGE && dpkg-deb -x $PACKAGE*.deb unpacked) >&2
}

staging=
trap 'rm -rf "$staging"' EXIT

# get ARCH: the folder appears whole.
get() {
  local arch=$1 to=native/jpeg_linux_$1
  if ! [[ -d $to ]] || ! pinned "$arch" "$to"; then
    [[ ! -e $to.missing || -n $required ]] || return 0
    mkdir -p native
    staging=$(mktemp -d "$PWD/native/.jpeg.XXXXXX")
    mkdir -p "$staging/whole/lib" "$staging/whole/include"
    if fetch "$arch" "$staging" && cp "$staging"/unpacked/usr/lib/*/libturbojpeg.a "$staging/whole/lib/" && pinned "$arch" "$staging/whole"; then
      cp "$staging/unpacked/usr/include/turbojpeg.h" "$staging/whole/include/"
      cp "$staging/unpacked/usr/share/doc/$PACKAGE/copyright" "$staging/whole/"
      rm -rf "$to" "$to.missing"
      mv -T "$staging/whole" "$to"
      echo "jpeg: $to is ready" >&2
    elif [[ -n $required ]]; then
      echo "jpeg: no pinned $PACKAGE for $arch from this system's apt, without which a release would decode JPEGs several times slower:" \
        "build it where apt has Debian 12, or copy $to from there" >&2
      exit 1
    else
      touch "$to.missing"
      echo "jpeg: no pinned $PACKAGE for $arch from this system's apt: JPEGs are decoded by image/jpeg, several times slower" >&2
    fi
    rm -rf "$staging"
  fi
}

required=
if [[ ${1:-} == --required ]]; then
  required=yes
  shift
fi
for arch in "$@"; do
  [[ -z ${LIBRARY_SHA256[$arch]:-} ]] || get "$arch"
done
