#!/usr/bin/env bash
# Tries fathom deploy against a real sshd and a real dpkg, in a Debian and a network of its own:
#
#   scripts/deploy-test.sh PACKAGE.deb [ROOT]
#
# As root, for this machine's architecture, some minutes. FATHOM is the program that deploys (default: bin/fathom). ROOT
# is a Debian that mmdebstrap made (minbase with libstdc++6, passwd, systemd, openssh-server and sudo); one is made in
# .cache/ unless given. Nothing outside ROOT is touched. No systemd runs there: a stand-in for systemctl starts the
# unit's program as the unit's user. Everything else is real.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

die() { echo "deploy-test: $*" >&2; exit 1; }

[[ $# -ge 1 ]] || die "usage: scripts/deploy-test.sh PACKAGE.deb [ROOT]"
deb=$(realpath "$1")
fathom=$(realpath "${FATHOM:-bin/fathom}")
arch=$(dpkg-deb -f "$deb" Architecture) || die "$deb is no package"
root=${2:-$PWD/.cache/debian-ssh-$arch}
[[ $(id -u) -eq 0 ]] || die "needs root, for chroot"
[[ $arch == "$(dpkg --print-architecture)" ]] || die "the package is for $arch, this machine is not"
if [[ ! -x $root/usr/sbin/sshd ]]; then
  command -v mmdebstrap >/dev/null 2>&1 || die "mmdebstrap is not installed: run  sudo apt-get install --no-install-recommends mmdebstrap"
  mmdebstrap --variant=minbase --architectures="$arch" --include=libstdc++6,passwd,systemd,openssh-server,sudo bookworm "$root"
fi
# A network of its own: the daemon's port and ssh's are free there, and nobody else reaches them.
[[ -n ${DEPLOY_TEST_NETWORK:-} ]] || DEPLOY_TEST_NETWORK=1 exec unshare --net --mount -- "$0" "$deb" "$root"
ip link set lo up

work=$(mktemp -d)
finish() {
  [[ -z ${sshd:-} ]] || kill "$sshd" 2>/dev/null || true
  chroot "$root" /usr/local/bin/systemctl stop fathomd 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT
mount -t proc proc "$root/proc"

in_root() { chroot "$root" env DEBIAN_FRONTEND=noninteractive LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"; }

# --- the board ---

cat >"$root/usr/local/bin/systemctl" <<'SYSTEMCTL'
#!/bin/sh
# Stands in for systemd's, for fathomd alone.
pid_file=/run/fathomd.pid log=/var/log/fathomd.log
pid() { cat $pid_file 2>/dev/null; }
running() { [ -n "$(pid)" ] && readlink "/proc/$(pid)/exe" >/dev/null 2>&1; }
stop() { if running; then kill "$(pid)"; while running; do sleep 0.1; done; fi; rm -f $pid_file; }
start() {
  running && return
  install -d -o fathom -g fathom -m 0750 /var/lib/fathom
  : >$log
  STATE_DIRECTORY=/var/lib/fathom setsid runuser -u fathom -- $(sed -n 's/^ExecStart=//p' /lib/systemd/system/fathomd.service) >>$log 2>&1 9>&- </dev/null &
  echo $! >$pid_file
  while ! grep -q '^fathomd: http' $log; do running || return 1; sleep 0.1; done
}
case $1 in
  --version) echo "systemd 252 (stand-in)" ;;
  start | stop) $1 ;;
  restart) stop; start ;;
  try-restart) if running; then stop; start; fi ;;
  is-active) running ;;
  show) pid ;;
  *) : ;;
esac
SYSTEMCTL
chmod 755 "$root/usr/local/bin/systemctl"

# clean makes a board that never saw Fathom.
clean() {
  in_root systemctl stop fathomd
  in_root dpkg --purge --force-all fathom >/dev/null 2>&1 || true
  rm -rf "$root/srv/fathom" "$root/home/pi/.cache" "$root/home/asked/.cache"
}

# state lists what a deployment may change, with sums.
state() {
  in_root sh -c 'dpkg -l fathom 2>/dev/null | tail -1; find /srv /etc/fathom /usr/bin/fathom* /usr/lib/fathom /usr/share/fathom /var/lib/fathom -type f ! -path "/srv/fathom/deploy.log" ! -path "/srv/fathom/lock" ! -path "/srv/fathom/*.json" ! -path "/srv/fathom/*.yaml" -exec sha256sum {} + 2>/dev/null; readlink /srv/fathom/bundle' | sort || true
}

ssh-keygen -q -t ed25519 -N '' -f "$work/key"
in_root id pi >/dev/null 2>&1 || in_root useradd --create-home --shell /bin/bash pi
in_root id asked >/dev/null 2>&1 || in_root useradd --create-home --shell /bin/sh --groups sudo asked
echo 'asked:a secret' | in_root chpasswd
in_root usermod -p '*' pi # no password, and not locked
echo 'pi ALL=(ALL) NOPASSWD: ALL' >"$root/etc/sudoers.d/pi"
# A shell that talks at login must not confuse anybody.
echo 'echo "Welcome to the bird box"' >"$root/home/pi/.bashrc"
for user in pi asked; do
  install -d -m 700 "$root/home/$user/.ssh"
  cp "$work/key.pub" "$root/home/$user/.ssh/authorized_keys"
  in_root chown -R "$user:" "/home/$user/.ssh"
done
mkdir -p "$root/run/sshd"
in_root ssh-keygen -A >/dev/null
chroot "$root" /usr/sbin/sshd -D -e -o PasswordAuthentication=no -o UsePAM=no 2>"$work/sshd.log" &
sshd=$! # its children are the connections

# --- the deployments ---

options=(-o ConnectTimeout=60 -o "IdentityFile=$work/key" -o StrictHostKeyChecking=no -o "UserKnownHostsFile=$work/known" -o LogLevel=ERROR --bench 0.2)
deploy() { "$fathom" deploy "${options[@]}" --yes pi@127.0.0.1 "$@" >"$work/log" 2>&1; }

expect() { # expect CODE WHAT WORDS ARGUMENTS...: the exit status, and words of what it says
  local want=$1 what=$2 words=$3 code=0
  shift 3
  deploy "$@" || code=$?
  [[ $code -eq $want ]] || { cat "$work/log" >&2; die "$what: exit status $code, want $want"; }
  grep -q -- "$words" "$work/log" || { cat "$work/log" >&2; die "$what: it does not say '$words'"; }
  echo "deploy-test: $what"
}

holds() { # holds WHAT COMMAND...
  local what=$1
  shift
  in_root "$@" >"$work/holds" 2>&1 || { cat "$work/holds" "$work/log" "$root/var/log/fathomd.log" >&2; die "$what: not so"; }
  echo "deploy-test:   $what"
}

unchanged() { # unchanged WHAT: since the last call of remember
  state >"$work/after"
  diff "$work/before" "$work/after" >&2 || die "$1: something has changed on the board"
  echo "deploy-test:   nothing has changed on the board"
}
remember() { state >"$work/before"; }

repack() { # repack FROM TO.deb SED...: the same package with another control file
  local from=$1 to=$2
  rm -rf "$work/tree"
  dpkg-deb -R "$from" "$work/tree"
  sed -i "$3" "$work/tree/DEBIAN/control"
  [[ -z ${4:-} ]] || "$4"
  dpkg-deb -Znone --root-owner-group -b "$work/tree" "$to" >/dev/null
}
sick() { # its daemon never starts
  mv "$work/tree/usr/bin/fathomd" "$work/tree/usr/lib/fathom/fathomd-real"
  printf '#!/bin/sh\ncase $1 in --config) exit 1 ;; esac\nLD_LIBRARY_PATH=/usr/lib/fathom exec /usr/lib/fathom/fathomd-real "$@"\n' >"$work/tree/usr/bin/fathomd"
  chmod 755 "$work/tree/usr/bin/fathomd"
}
clean
repack "$deb" "$work/fathom_99.0_$arch.deb" 's/^Version: .*/Version: 99.0/'
repack "$deb" "$work/fathom_100.0_$arch.deb" 's/^Version: .*/Version: 100.0/' sick
repack "$deb" "$work/wrong.deb" 's/^Architecture: .*/Architecture: armel/'
repack "$deb" "$work/new.deb" 's/libc6 (>= [0-9.]*)/libc6 (>= 99)/'
cp "$work/wrong.deb" "$work/fathom_1_armel.deb"

remember
expect 0 "a dry run prints the commands" "sudo -n sh .cache/fathom-deploy/deploy.sh apply" --package "$deb" --bundle testdata/bundles/tiny --dry-run
unchanged "a dry run"
expect 1 "refuses the package of another architecture by its name" "is for armel" --package "$work/fathom_1_armel.deb"
expect 1 "and by what it holds" "the package is for armel" --package "$work/wrong.deb"
expect 1 "refuses a board with too old a glibc" "needs glibc 99" --package "$work/new.deb"
expect 1 "refuses a bundle that fathom verify refuses" "did not pass fathom verify" --package "$deb" --bundle testdata/hostile/crash
unchanged "refusals"

expect 0 "installs on a fresh board" "fathomd runs and is well" --package "$deb" --bundle testdata/bundles/tiny
holds "the configuration names the bundle" grep -qx "bundle: /srv/fathom/bundle" /etc/fathom/fathomd.yaml
holds "the bundle was measured" test -s /var/lib/fathom/profile.json
holds "the governor uses what was measured" grep -q "measured on this board" /var/log/fathomd.log
holds "the upload is gone" sh -c '! [ -e /home/pi/.cache/fathom-deploy ] && ! [ -e /home/pi/.cache/fathom-deploy.part ]'

in_root sh -c 'printf "target_rate: 2\n" >>/etc/fathom/fathomd.yaml'
expect 0 "upgrades package and bundle" "fathomd runs and is well" --package "$work/fathom_99.0_$arch.deb" --bundle testdata/bundles/demo
holds "the configuration is kept" grep -qx "target_rate: 2" /etc/fathom/fathomd.yaml
holds "the package before is kept" test -f "/srv/fathom/packages/fathom_$(dpkg-deb -f "$deb" Version)_$arch.deb"
holds "two bundles are kept" sh -c '[ $(ls /srv/fathom/bundles | wc -l) = 2 ]'

remember
expect 3 "rolls back a package whose daemon does not start" "what was there before was brought back" --package "$work/fathom_100.0_$arch.deb" --bundle testdata/bundles/tiny
unchanged "rolling back"
holds "fathomd runs again" fathomd health

label=$(python3 -c 'import json,sys; a,b=[set(json.load(open(f"testdata/bundles/{n}/manifest.json"))["labels"]) for n in ("demo","tiny")]; print(sorted(a-b)[0])' || true)
[[ -n $label ]] || die "the labels of demo are all in tiny: choose other bundles for this test"
in_root sh -c "printf 'events: {only: [\"%s\"]}\n' '$label' >>/etc/fathom/fathomd.yaml && systemctl restart fathomd"
remember
expect 3 "rolls back a bundle that the configuration does not fit" "what was there before was brought back" --package "$work/fathom_99.0_$arch.deb" --bundle testdata/bundles/tiny
unchanged "rolling back"
holds "fathomd runs again" fathomd health

# --- lost connections ---

cut() { # cut WHEN: ends the connections of pi, as a lost network does, once the board's shell says that it is time
  local patience=600
  until in_root sh -c "$1"; do
    ((patience--)) || { cat "$work/log" >&2; die "it never came to: $1"; }
    sleep 0.05
  done
  for process in $(pgrep -P "$sshd"); do kill -9 $(pgrep -P "$process") "$process" 2>/dev/null || true; done
}

# Some 2 MB/s, so that there is a half-way.
cat >"$work/slow" <<'PYTHON'
import os, socket, sys, threading, time
s = socket.create_connection((sys.argv[1], int(sys.argv[2])))
def down():
    while data := s.recv(65536):
        os.write(1, data)
    os._exit(0)
threading.Thread(target=down, daemon=True).start()
while data := os.read(0, 32768):
    s.sendall(data)
    time.sleep(0.015)
PYTHON
remember
code=0
deploy -o "ProxyCommand=python3 $work/slow %h %p" --package "$work/fathom_100.0_$arch.deb" &
deployer=$!
cut 'test -s /home/pi/.cache/fathom-deploy.part/package.deb'
wait $deployer || code=$?
[[ $code -eq 1 ]] && grep -q "nothing was changed" "$work/log" || { cat "$work/log" >&2; die "a connection lost while copying: exit status $code"; }
echo "deploy-test: a connection lost while copying"
unchanged "a lost connection"
holds "what was copied in part cannot be taken for the whole" test ! -e /home/pi/.cache/fathom-deploy

in_root sed -i '/^events:/d' /etc/fathom/fathomd.yaml
code=0
deploy --bundle testdata/bundles/tiny --package "$work/fathom_99.0_$arch.deb" &
deployer=$!
cut 'grep -q "measuring the bundle" /srv/fathom/deploy.log && ! grep -q "is well" /srv/fathom/deploy.log'
wait $deployer || code=$?
[[ $code -eq 4 ]] && grep -q "it goes on by itself" "$work/log" || { cat "$work/log" >&2; die "a connection lost while installing: exit status $code"; }
echo "deploy-test: a connection lost while installing"
expect 1 "another deployment meanwhile is refused" "another deployment to this board" --bundle testdata/bundles/demo --package "$work/fathom_99.0_$arch.deb"
for ((i = 0; i < 120; i++)); do grep -q "is well" "$root/srv/fathom/deploy.log" && break; sleep 1; done
holds "the board finishes by itself" grep -q "fathomd runs and is well" /srv/fathom/deploy.log
holds "with the new bundle" sh -c 'readlink /srv/fathom/bundle | grep -q /test-'

# --- a password for sudo ---

code=0
: >"$work/log"
(
  until grep -q 'Password for sudo' "$work/log"; do sleep 0.2; done
  sleep 1
  echo 'a secret'
  until [[ -e $work/done ]]; do sleep 0.2; done # script ends with its input
) | (
  trap 'touch "$work/done"' EXIT
  script -qefc "$fathom deploy ${options[*]} --yes asked@127.0.0.1 --bundle testdata/bundles/demo --package $work/fathom_99.0_$arch.deb" /dev/null >"$work/log" 2>&1
) || code=$?
[[ $code -eq 0 ]] || { cat "$work/log" >&2; die "a password for sudo: exit status $code"; }
! grep -q 'a secret' "$work/log" || die "the password is shown"
echo "deploy-test: asks for the password of sudo where it wants one"
clean
