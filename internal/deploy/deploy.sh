#!/bin/sh
# What fathom deploy copied beside this file is installed by it, on the board:
#
#   deploy.sh check    as any user: does the package run here, does the bundle pass fathom verify? Changes nothing
#   deploy.sh apply    as root: installs, measures, starts; brings back what was there before if fathomd is not well then
#
# Exit status: 0 done; 1 failed, and everything is as before; 3 rolled back; 4 rolled back, and fathomd is not well all the same.
set -u
PATH=$PATH:/usr/sbin:/sbin
here=$(cd "$(dirname "$0")" && pwd)
. "$here/settings.sh" # kept, config, state, bundle, bench_seconds, health_seconds, steady_seconds

say() { echo "deploy: $*"; }
die() { say "$*"; exit 1; }

# --- check ---

check() {
  tool=fathom
  if [ -f "$here/package.deb" ]; then
    check_package
    tool=$here/unpacked/usr/bin/fathom
    "$tool" --version || die "the program of the package does not run on this board"
  fi
  if [ -d "$here/bundle" ]; then
    "$tool" verify "$here/bundle" || die "the bundle did not pass fathom verify"
  fi
}

check_package() {
  name=$(dpkg-deb -f "$here/package.deb" Package) || die "the package is damaged"
  [ "$name" = fathom ] || die "this is the package of $name, not of fathom"
  want=$(dpkg-deb -f "$here/package.deb" Architecture)
  own=$(dpkg --print-architecture)
  [ "$want" = "$own" ] || die "the package is for $want, this board is $own"
  want=$(dpkg-deb -f "$here/package.deb" Depends | sed -n 's/.*libc6 (>= \([^)]*\)).*/\1/p')
  own=$(getconf GNU_LIBC_VERSION | cut -d ' ' -f 2)
  dpkg --compare-versions "$own" ge "${want:-0}" || die "the package needs glibc $want, this board has $own: it takes a newer system"
  rm -rf "$here/unpacked"
  dpkg-deb -x "$here/package.deb" "$here/unpacked" || die "the package cannot be unpacked"
}

# --- apply ---

# apply goes on when the connection is lost; what it says is in $kept/deploy.log, too.
apply() {
  mkdir -p "$kept/bundles" "$kept/packages" || die "cannot write to $kept"
  exec 9>"$kept/lock"
  flock -n 9 || die "another deployment to this board is going on"
  setsid sh "$here/deploy.sh" work >"$kept/deploy.log" 2>&1 &
  worker=$!
  tail -n +1 -f --pid=$worker "$kept/deploy.log"
  wait $worker
}

work() {
  version= changed=
  old_version=$(dpkg-query -W -f '${db:Status-Abbrev} ${Version}' fathom 2>/dev/null | sed -n 's/^ii *//p')
  old_package=$kept/packages/fathom_${old_version}_$(dpkg --print-architecture).deb
  old_bundle=$(readlink "$kept/bundle")
  if install_package && place_bundle && measure && start && healthy; then
    keep
    say "fathomd runs and is well"
    exit 0
  fi
  [ -n "$changed" ] || die "nothing was changed"
  roll_back
}

install_package() {
  [ -f "$here/package.deb" ] || return 0
  version=$(dpkg-deb -f "$here/package.deb" Version)
  if [ "$version" = "$old_version" ] && cmp -s "$here/package.deb" "$old_package"; then
    say "version $version is installed already"
    return 0
  fi
  say "installing version $version"
  dpkg --force-confdef --force-confold -i "$here/package.deb" && changed="$changed package" && return 0
  say "dpkg could not install the package"
  [ "$(dpkg-query -W -f '${db:Status-Abbrev} ${Version}' fathom 2>/dev/null)" = "ii  $old_version" ] || changed="$changed package"
  return 1
}

place_bundle() {
  [ -d "$here/bundle" ] || return 0
  say "placing the bundle $bundle"
  placed=$(mktemp -d "$kept/bundles/$bundle.XXXXXX") &&
    cp -R "$here/bundle/." "$placed" &&
    chown -R root:root "$placed" &&
    chmod -R u=rwX,go=rX "$placed" &&
    sync || return 1
  changed="$changed bundle"
  link_bundle "bundles/$(basename "$placed")" && configure
}

link_bundle() { ln -sfn "$1" "$kept/.bundle" && mv -T "$kept/.bundle" "$kept/bundle"; }

# configure lets the configuration name the bundle that is linked, and changes no other line.
configure() {
  grep -q "^bundle: $kept/bundle\$" "$config" && return 0
  say "$config: bundle: $kept/bundle"
  grep -q '^bundle:' "$config" && edit="s|^bundle:.*|bundle: $kept/bundle|" || edit="\$a bundle: $kept/bundle"
  cp -p "$config" "$config.new" &&
    sed -i "$edit" "$config.new" &&
    fathomd check-config "$config.new" &&
    cp -p "$config" "$kept/fathomd.yaml" &&
    mv "$config.new" "$config" || { rm -f "$config.new"; return 1; }
  changed="$changed config"
}

# measure writes the profile that fathomd looks for. Without one, costs are estimates.
measure() {
  if [ -d "$here/bundle" ]; then
    what=$kept/bundle
  elif [ -z "$old_version" ]; then
    what=/usr/share/fathom/bundles/demo
  else
    return 0 # nothing is known to cost another time than before
  fi
  [ "$bench_seconds" != 0 ] || return 0
  say "measuring the bundle, with fathomd stopped"
  systemctl stop fathomd
  threads=$(sed -n 's/^threads: *\([0-9][0-9]*\).*/\1/p' "$config" | head -n 1)
  install -d -o fathom -g fathom -m 0750 "$state" || return 1
  rm -f "$kept/profile.json"
  if [ -f "$state/profile.json" ]; then cp -p "$state/profile.json" "$kept/profile.json"; fi
  changed="$changed profile"
  (cd / && runuser -u fathom -- fathom bench "$what" --layout segments,monolithic --threads "${threads:-1}" --seconds "$bench_seconds" \
    -o "$state/profile.json") || say "warning: fathom bench failed: costs are estimates until it is run again"
}

start() {
  say "starting fathomd"
  systemctl restart fathomd || { say "systemd could not start fathomd: journalctl -u fathomd"; return 1; }
}

uptime_seconds() { cut -d . -f 1 /proc/uptime; }

# healthy waits until the same process has been well for steady_seconds in a row.
healthy() {
  end=$(($(uptime_seconds) + health_seconds))
  well_since= pid=
  while [ "$(uptime_seconds)" -lt "$end" ]; do
    if systemctl is-active --quiet fathomd && answer=$(fathomd health "$config" 2>&1); then
      now=$(systemctl show -p MainPID --value fathomd)
      [ "$now" = "$pid" ] || pid=$now well_since=$(uptime_seconds)
      [ $(($(uptime_seconds) - well_since)) -lt "$steady_seconds" ] || return 0
    else
      pid=
    fi
    sleep 1
  done
  say "fathomd was not well within $health_seconds s: ${answer:-it does not run}"
  return 1
}

# keep remembers the package for the next time, and forgets all but this and the last.
keep() {
  if [ -n "$version" ]; then
    new=$kept/packages/fathom_${version}_$(dpkg --print-architecture).deb
    cp "$here/package.deb" "$new.part" && sync && mv "$new.part" "$new"
    for file in "$kept"/packages/*; do
      [ "$file" = "$new" ] || [ "$file" = "$old_package" ] || rm -f "$file"
    done
  fi
  for folder in "$kept"/bundles/*; do
    case bundles/$(basename "$folder") in
      "$(readlink "$kept/bundle")" | "$old_bundle") ;;
      *) rm -rf "$folder" ;;
    esac
  done
}

roll_back() {
  say "rolling back"
  systemctl stop fathomd
  case $changed in
    *package*)
      if [ -n "$old_version" ] && [ -f "$old_package" ]; then
        say "installing version $old_version again"
        dpkg --force-confdef --force-confold -i "$old_package" || say "dpkg could not install version $old_version"
      elif [ -n "$old_version" ]; then
        say "version $version stays: no package of version $old_version is kept on this board"
      elif dpkg-query -W -f '${db:Status-Abbrev}' fathom 2>/dev/null | grep -q '^ii'; then
        say "version $version stays: there was none before"
      else
        dpkg --force-remove-reinstreq --remove fathom
        rm -rf "$placed"
        exit 3
      fi
      ;;
  esac
  case $changed in
    *config*) cp -p "$kept/fathomd.yaml" "$config.new" && mv "$config.new" "$config" ;;
  esac
  case $changed in
    *bundle*)
      if [ -n "$old_bundle" ]; then link_bundle "$old_bundle"; else rm -f "$kept/bundle"; fi
      rm -rf "$placed"
      ;;
  esac
  case $changed in
    *profile*)
      rm -f "$state/profile.json"
      if [ -f "$kept/profile.json" ]; then cp -p "$kept/profile.json" "$state/profile.json"; fi
      ;;
  esac
  start && healthy || exit 4
  say "rolled back: fathomd runs with what was there before"
  exit 3
}

placed=
case ${1:-} in
  check | apply | work) "$1" ;;
  *) die "usage: deploy.sh check|apply" ;;
esac
