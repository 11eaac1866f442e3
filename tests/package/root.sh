# root.sh - fresh Debian systems made by debootstrap, and processes in them; sourced by check-fresh
# and check-package. Takes what /etc/apt says about mirrors and proxies.
# shellcheck shell=bash

# shellcheck source=../../deploy/lab/parts/common.sh
. "${BASH_SOURCE%/*}/../../deploy/lab/parts/common.sh"

# Set by the caller: where base systems are kept, and Debian's suite.
: "${place:?}" "${suite:?}"

# Prints the machine's own Debian sources, as they are called in the suite, as lines of
# sources.list.
sources() {
    # shellcheck disable=SC2016 # these are for apt-get
    apt-get indextargets --format '$(SITE) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
        sed -nE "s/^(\S+) (bookworm|trixie)(-updates|-security)? main\$/deb \\1 $suite\\3 main/p" | sort -u
}

# make_base - the base system with git in $place/$suite.tar, unless it is there.
make_base() {
    local mirror new=$place/root-$suite.new
    [[ ! -e $place/$suite.tar ]] || return 0
    mirror=$(sources | awk -v suite="$suite" '$3 == suite { print $2; exit }')
    [[ -n $mirror ]] || die "the machine's apt sources name no mirror of Debian 12 or 13"
    say "making the base system of $suite, this once"
    mkdir -p "$place"
    rm -rf -- "$new"
    debootstrap --variant=minbase --include=ca-certificates,git "$suite" "$new" "$mirror" \
        >"$place/$suite.log" 2>&1 || {
        tail -n 20 "$place/$suite.log" >&2
        die "could not make the base system; see $place/$suite.log"
    }
    tar -C "$new" -cf "$place/$suite.tar.new" .
    rm -rf -- "$new"
    mv -- "$place/$suite.tar.new" "$place/$suite.tar"
}

# lay_out ROOT - a fresh base system in this directory.
lay_out() {
    rm -rf -- "$1"
    mkdir -p "$1"
    tar -C "$1" -xpf "$place/$suite.tar"
    sources >"$1/etc/apt/sources.list"
    apt-config dump | grep -E '^Acquire::(https?::|Check-|Retries|ForceIPv)' \
        >"$1/etc/apt/apt.conf.d/99machine" || true
    cp -L /etc/resolv.conf /etc/hosts "$1/etc/"
}

# mount_all ROOT - what a system needs besides its files; in a mount namespace of the caller's.
mount_all() {
    mount -t proc proc "$1/proc"
    mount --bind /dev "$1/dev"
    mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts "$1/dev/pts"
    mount -t tmpfs -o mode=1777 tmpfs "$1/dev/shm"
}

# on_root ROOT USER COMMAND... - with nothing of the caller's environment but proxies.
on_root() {
    local root=$1 as=$2 home=/root name
    local -a environment=()
    shift 2
    [[ $as == root ]] || home=/home/$as
    for name in http_proxy https_proxy no_proxy; do
        [[ -z ${!name-} ]] || environment+=("$name=${!name}")
    done
    chroot "$root" setpriv --reuid "$as" --regid "$as" --init-groups -- \
        env -i HOME="$home" USER="$as" PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        "${environment[@]}" "$@"
}

# step WHAT COMMAND...
step() {
    say "$1"
    shift
    "$@" || die "failed: $*"
}
